"""Files from disk land once, under a key that says what is in them."""

from __future__ import annotations

import hashlib
import os
import uuid

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lakehouse import aws
from lakehouse.errors import Terminal
from lakehouse.landing import put as putting
from lakehouse.landing.policy import PutPolicy
from lakehouse.landing.put import Landed, Refused, files_in, put, put_all
from lakehouse.landing.raw_files import listing


def landed(settings, source_key):
    return [file.key for file in listing(settings.landing_bucket, f"{source_key}/")]


class Heard:
    """What a progress callback heard: done and total of each call."""

    def __init__(self):
        self.calls = []

    def __call__(self, step, done=0, total=0):
        assert step
        self.calls.append((done, total))


@pytest.fixture
def source_key():
    """Return a source and entity that no other test uses."""
    return f"web/e{uuid.uuid4().hex}"


def test_the_same_file_put_twice_lands_once(landing, source_key, tmp_path):
    """Under whatever path it lies; and only the first put is fresh."""
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        (folder / "orders.csv").write_text("a,b\n")
    first = put(landing, source_key, tmp_path / "orders.csv")
    again = put(landing, source_key, tmp_path / "other" / "orders.csv")
    assert (first.key, first.bytes, first.fresh, again.fresh) == (again.key, 4, True, False)
    assert landed(landing, source_key) == [first.key]


def test_other_contents_or_names_are_other_files(landing, source_key, tmp_path):
    """A file that was corrected lands beside the one it corrects."""
    path = tmp_path / "orders.csv"
    for text in ("a", "b"):
        path.write_text(text)
        assert put(landing, source_key, path).fresh
    path.rename(tmp_path / "orders 订单%2e+'.csv")
    assert put(landing, source_key, tmp_path / "orders 订单%2e+'.csv").fresh
    keys = landed(landing, source_key)
    assert len(keys) == 3
    assert all(key.startswith(f"{source_key}/") for key in keys)
    assert sorted(key.rsplit("/", 1)[1] for key in keys) == [
        "orders 订单%2e+'.csv",
        "orders.csv",
        "orders.csv",
    ]


def test_bytes_and_progress(landing, source_key, tmp_path):
    """The object holds the file's bytes, and progress hears of each file, whether it was fresh or not."""
    path, heard = tmp_path / "x.bin", Heard()
    path.write_bytes(bytes(range(256)) * 5_000)
    for _ in range(2):
        key = put(landing, source_key, path, progress=heard).key
    assert aws.s3().get_object(Bucket=landing.landing_bucket, Key=key)["Body"].read() == path.read_bytes()
    assert heard.calls == [(1_280_000, 1_280_000)] * 2


# --- large files


@pytest.fixture
def in_parts(monkeypatch):
    """Call a file large that is larger than 1 MiB, and its parts 5 MiB, as small as stores take them."""
    monkeypatch.setattr(PutPolicy, "single_request_bytes", 1 << 20)
    monkeypatch.setattr(PutPolicy, "part_bytes", 5 << 20)


@pytest.fixture
def sent(monkeypatch):
    """Return the sizes of the parts that are sent, as they are."""
    sizes, real = [], aws.s3().upload_part

    def upload_part(**request):
        sizes.append(len(request["Body"]))
        return real(**request)

    monkeypatch.setattr(aws.s3(), "upload_part", upload_part)
    return sizes


def large_file(folder, size=(11 << 20) + 7):
    path = folder / "large.bin"
    path.write_bytes(os.urandom(1 << 10) * (size // 1024) + b"x" * (size % 1024))
    return path


def uploads(settings):
    return aws.s3().list_multipart_uploads(Bucket=settings.landing_bucket).get("Uploads")


def test_a_large_file_goes_up_in_parts_and_lands_once(landing, source_key, tmp_path, in_parts, sent):
    """Its bytes are all there, in order; the second time nothing is sent."""
    path, heard = large_file(tmp_path), Heard()
    first = put(landing, source_key, path, progress=heard)
    size = path.stat().st_size
    assert (first.fresh, first.bytes, heard.calls[-1], len(heard.calls)) == (True, size, (size, size), 3)
    assert sorted(sent) == [(1 << 20) + 7, 5 << 20, 5 << 20]
    body = aws.s3().get_object(Bucket=landing.landing_bucket, Key=first.key)["Body"].read()
    assert body == path.read_bytes()
    assert first.key == f"{source_key}/{hashlib.sha256(body).hexdigest()[:16]}/large.bin"
    again = put(landing, source_key, path, progress=heard)
    assert (again.fresh, again.key, len(sent)) == (False, first.key, 3)
    assert heard.calls[3:] == [(size, size)]
    assert landed(landing, source_key) == [first.key]


def test_of_two_who_send_a_large_file_at_once_one_lands_it(
    landing, source_key, tmp_path, in_parts, monkeypatch
):
    """Who completes his upload second finds the first one's object, and leaves no parts behind."""
    path = large_file(tmp_path)
    assert put(landing, source_key, path).fresh
    real, looked = putting._Upload._exists, []

    def exists_at_the_end(upload):
        looked.append(upload)
        return len(looked) > 1 and real(upload)

    monkeypatch.setattr(putting._Upload, "_exists", exists_at_the_end)
    assert not put(landing, source_key, path).fresh
    assert (len(looked), len(landed(landing, source_key)), uploads(landing)) == (2, 1, None)


def test_a_large_file_that_changes_meanwhile_does_not_land(
    landing, source_key, tmp_path, in_parts, monkeypatch
):
    """Its key would tell of other contents; the parts that were sent are removed."""
    path, real = large_file(tmp_path), aws.s3().create_multipart_upload

    def change_and_create(**request):
        with path.open("ab") as file:
            file.write(b"more")
        return real(**request)

    monkeypatch.setattr(aws.s3(), "create_multipart_upload", change_and_create)
    with pytest.raises(Terminal, match="changed while it was landed"):
        put(landing, source_key, path)
    assert (landed(landing, source_key), uploads(landing)) == ([], None)


def test_parts_grow_where_there_would_be_too_many(landing, source_key, tmp_path, in_parts, sent, monkeypatch):
    """S3 takes 10,000 of them: 5 TiB are some 550 MB a part, and then one at a time."""
    monkeypatch.setattr(putting, "_PARTS", 2)
    path = large_file(tmp_path)
    put(landing, source_key, path)
    assert len(sent) == 2
    assert abs(sent[0] - sent[1]) <= 1


def test_a_broken_upload_leaves_nothing(landing, source_key, tmp_path, in_parts, monkeypatch):
    """A part that the store refuses ends it; what went up before is removed."""

    def refuse(**_):
        raise ClientError({"Error": {"Code": "EntityTooLarge"}}, "UploadPart")

    monkeypatch.setattr(aws.s3(), "upload_part", refuse)
    with pytest.raises(ClientError):
        put(landing, source_key, large_file(tmp_path))
    assert (landed(landing, source_key), uploads(landing)) == ([], None)


# --- many files


def some_files(folder, number):
    (folder / "files").mkdir()
    for n in range(number):
        (folder / "files" / f"{n:05d}").write_text(str(n))
    return sorted((folder / "files").iterdir())


def test_a_bad_file_stops_no_other(landing, source_key, tmp_path, monkeypatch):
    """Each is told in its place: missing, with too long a key, refused by the store."""
    paths = some_files(tmp_path, 6)
    paths[1] = tmp_path / "gone"
    real = aws.s3().put_object

    def refuse_one(**request):
        if request["Key"].endswith("/00003"):
            raise ClientError({"Error": {"Code": "InvalidRequest"}}, "PutObject")
        return real(**request)

    monkeypatch.setattr(aws.s3(), "put_object", refuse_one)
    monkeypatch.setattr(putting, "_KEY_BYTES", len(source_key) + 17 + 10)
    paths.append(tmp_path / ("long" * 9))
    paths[-1].write_text("x")
    outcomes = list(put_all(landing, source_key, files_in(paths)))
    assert [type(one) for one in outcomes] == [Landed, Refused, Landed, Refused, Landed, Landed, Refused]
    assert [str(one.path.name) for one in outcomes if isinstance(one, Refused)] == [
        "gone",
        "00003",
        "long" * 9,
    ]
    assert "no such file" in outcomes[1].reason
    assert "InvalidRequest" in outcomes[3].reason
    assert "is too long; a key has" in outcomes[6].reason
    assert len(landed(landing, source_key)) == 4


def test_files_are_not_looked_at_long_before_it_is_their_turn(landing, source_key, tmp_path):
    """A million of them need no more memory than a hundred; and the order of outcomes is that of the files."""
    taken = []

    def paths():
        for path in some_files(tmp_path, 100):
            taken.append(path)
            yield path

    names = []
    for number, one in enumerate(put_all(landing, source_key, files_in(paths())), 1):
        assert len(taken) <= number + PutPolicy.files_ahead
        names.append(one.key.rsplit("/", 1)[1])
    assert names == [f"{n:05d}" for n in range(100)]


def test_progress_of_many_files_is_one_sum(landing, source_key, tmp_path):
    """Of the bytes of all of them, in whatever order they go up."""
    heard, paths = Heard(), some_files(tmp_path, 12)
    total = sum(path.stat().st_size for path in paths)
    list(put_all(landing, source_key, files_in(paths), total_bytes=total, progress=heard))
    assert [done for done, _ in heard.calls] == sorted(done for done, _ in heard.calls)
    assert heard.calls[-1] == (total, total)


def test_a_store_that_is_away_ends_it(source_key, tmp_path, monkeypatch, landing):
    """Nobody waits for a hundred thousand time-outs."""

    def away(**_):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(aws.s3(), "put_object", away)
    with pytest.raises(EndpointConnectionError):
        list(put_all(landing, source_key, files_in(some_files(tmp_path, 50))))
