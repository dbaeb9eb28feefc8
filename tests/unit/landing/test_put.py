"""Files from disk land once, under a key that says what is in them."""

from __future__ import annotations

import uuid

import pytest

from lakehouse import aws
from lakehouse.errors import Terminal
from lakehouse.landing.files import listing
from lakehouse.landing.put import put


def landed(settings, place):
    return [file.key for file in listing(settings.landing_bucket, f"{place}/")]


@pytest.fixture
def place():
    """Return a source and entity that no other test uses."""
    return f"web/e{uuid.uuid4().hex}"


def test_the_same_file_put_twice_lands_once(landing, place, tmp_path):
    """Under whatever path it lies; and only the first put is fresh."""
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        (folder / "orders.csv").write_text("a,b\n")
    first = put(landing.landing_bucket, place, tmp_path / "orders.csv")
    again = put(landing.landing_bucket, place, tmp_path / "other" / "orders.csv")
    assert (first.key, first.bytes, first.fresh, again.fresh) == (again.key, 4, True, False)
    assert landed(landing, place) == [first.key]


def test_other_contents_or_names_are_other_files(landing, place, tmp_path):
    """A file that was corrected lands beside the one it corrects."""
    path = tmp_path / "orders.csv"
    for text in ("a", "b"):
        path.write_text(text)
        assert put(landing.landing_bucket, place, path).fresh
    path.rename(tmp_path / "orders 订单%2e+'.csv")
    assert put(landing.landing_bucket, place, tmp_path / "orders 订单%2e+'.csv").fresh
    keys = landed(landing, place)
    assert len(keys) == 3
    assert all(key.startswith(f"{place}/") for key in keys)
    assert sorted(key.rsplit("/", 1)[1] for key in keys) == [
        "orders 订单%2e+'.csv",
        "orders.csv",
        "orders.csv",
    ]


def test_bytes_and_progress(landing, place, tmp_path):
    """The object holds the file's bytes, and progress hears of each file, whether it was fresh or not."""
    path, heard = tmp_path / "x.bin", []
    path.write_bytes(bytes(range(256)) * 5_000)
    for _ in range(2):
        key = put(landing.landing_bucket, place, path, progress=heard.append).key
    assert aws.s3().get_object(Bucket=landing.landing_bucket, Key=key)["Body"].read() == path.read_bytes()
    assert heard == [1_280_000] * 2


@pytest.mark.parametrize(
    "wrong", ["web", "Web/events", "web/events/more", "../x", "web/", "/web/events", "web/ev ents"]
)
def test_a_place_that_is_none_is_refused(wrong, tmp_path):
    """Before anything is read or sent."""
    (tmp_path / "x").write_text("x")
    with pytest.raises(Terminal, match="SOURCE/ENTITY"):
        put("bucket", wrong, tmp_path / "x")


def test_a_path_that_is_no_file_is_refused(tmp_path):
    """Missing, or a folder."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(Terminal, match="no such file"):
            put("bucket", "web/events", path)
