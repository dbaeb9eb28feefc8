"""Objects that are written once: one winner, whoever asks and whatever is lost on the way."""

from __future__ import annotations

import uuid

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, objects
from lakehouse.errors import Transient
from tests.support.lakes import in_threads


@pytest.fixture
def bucket(landing):
    return landing.ops_bucket


@pytest.fixture
def prefix():
    """Return a prefix that no other test uses."""
    return f"test/{uuid.uuid4().hex}/"


def test_of_many_writers_one_wins(bucket, prefix):
    """And all of them learn what stands there."""

    def claim(number, barrier):
        barrier.wait(30)
        return objects.put_once(bucket, f"{prefix}claim", b"%d" % number)

    answers = set(in_threads(16, claim))
    assert answers == {objects.get(bucket, f"{prefix}claim")}
    assert objects.put_once(bucket, f"{prefix}claim", b"late") == answers.pop()


def test_a_refusal_of_ones_own_write_is_no_defeat(bucket, prefix, monkeypatch):
    """The answer was lost, the SDK wrote again and was refused by its first write: it reads its own bytes."""
    real = aws.s3().put_object

    def write_twice(**request):
        real(**request)
        return real(**request)

    monkeypatch.setattr(aws.s3(), "put_object", write_twice)
    assert objects.put_once(bucket, f"{prefix}x", b"mine") == b"mine"


@pytest.mark.parametrize(
    ("code", "error"), [("ConditionalRequestConflict", Transient), ("AccessDenied", ClientError)]
)
def test_what_cannot_be_written_is_told(bucket, prefix, monkeypatch, code, error):
    """A race that does not end may be tried again; anything else is what it is."""

    def refuse(**_):
        raise ClientError({"Error": {"Code": code}}, "PutObject")

    monkeypatch.setattr(aws.s3(), "put_object", refuse)
    with pytest.raises(error):
        objects.put_once(bucket, f"{prefix}x", b"mine")


def test_reading_and_overwriting(bucket, prefix):
    """Nothing is None, not an error; `put` replaces what stood there."""
    assert objects.get(bucket, f"{prefix}x") is None
    for body in (b"1", b"2"):
        objects.put(bucket, f"{prefix}x", body)
        assert objects.get(bucket, f"{prefix}x") == body
    with pytest.raises(ClientError):
        objects.get("no-such-bucket-here", "x")


def test_listing(bucket, prefix):
    """Folders after a given one, and keys, both without the prefix and in order."""
    for name in ("a/1", "a/2", "ab/1", "b/1", "c"):
        objects.put(bucket, prefix + name, b"")
    assert list(objects.list_keys(bucket, prefix)) == sorted(["a/1", "a/2", "ab/1", "b/1", "c"])
    assert list(objects.list_folders(bucket, prefix)) == ["a", "ab", "b"]
    assert list(objects.list_folders(bucket, prefix, after="a")) == ["ab", "b"]
    assert list(objects.list_folders(bucket, prefix, after="b")) == []
