"""A conditional write that meets another one is tried again, and says who won."""

from __future__ import annotations

import io

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, objects
from lakehouse.errors import Terminal, Transient


class Bucket:
    """Answers for S3: each conditional write as the list says, then as a bucket would."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.body: bytes | None = None
        self.writes = 0

    def put_object(self, Body, **_):  # noqa: N803
        self.writes += 1
        code = self.codes.pop(0) if self.codes else ""
        if code or self.body is not None:
            raise ClientError({"Error": {"Code": code or "PreconditionFailed"}}, "PutObject")
        self.body = Body

    def get_object(self, **_):
        if self.body is None:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.body)}


@pytest.fixture
def bucket(monkeypatch):
    def make(*codes: str) -> Bucket:
        made = Bucket(*codes)
        monkeypatch.setattr(aws, "s3", lambda: made)
        return made

    return make


def test_the_first_writer_wins(bucket):
    """Whoever comes later learns what stands."""
    bucket()
    assert objects.put_once("b", "k", b"1") == b"1"
    assert objects.put_once("b", "k", b"2") == b"1"


@pytest.mark.parametrize(
    "code", ["ConditionalRequestConflict", "OperationAborted", "409", "PreconditionFailed"]
)
def test_a_write_that_nobody_won_is_tried_again(bucket, code):
    """Two writes were under way, or what won has been deleted since."""
    store = bucket(code, code)
    assert objects.put_once("b", "k", b"1") == b"1"
    assert store.writes == 3


def test_a_dispute_that_does_not_end_is_transient(bucket):
    """After five tries."""
    store = bucket(*["409"] * 9)
    with pytest.raises(Transient, match="s3://b/k could not be written"):
        objects.put_once("b", "k", b"1")
    assert store.writes == 5


def test_a_writer_that_need_not_know_who_was_first_reads_nothing(bucket, monkeypatch):
    """Its own first write, whose answer was lost, may have been it."""
    store = bucket("409")
    monkeypatch.setattr(store, "get_object", lambda **_: pytest.fail("read what stands there"))
    objects.put_unless_there("b", "k", b"1")
    objects.put_unless_there("b", "k", b"2")
    assert (store.body, store.writes) == (b"1", 3)


def test_a_dispute_over_any_write_is_transient(bucket):
    """As with `put_once`."""
    bucket(*["409"] * 9)
    with pytest.raises(Transient, match="s3://b/k could not be written"):
        objects.put_unless_there("b", "k", b"1")


def test_other_errors_are_raised_at_once(bucket):
    """Access denied is nobody's race."""
    store = bucket("AccessDenied")
    with pytest.raises(ClientError):
        objects.put_once("b", "k", b"1")
    assert store.writes == 1


def test_an_object_that_is_not_there_is_none(bucket):
    """And no error."""
    bucket()
    assert objects.get("b", "k") is None


@pytest.mark.parametrize("body", [b"", b'{"a": 1', b"null", b"[]", b"\xff\xfe", b'{"b": 1}', b"3"])
def test_a_damaged_object_is_named_with_what_to_do(bucket, body):
    """Cut off, empty, of another kind: by key, and nothing of what it says."""
    bucket().body = body
    with pytest.raises(Terminal, match=r"s3://b/k is damaged \(\d+ bytes, \w+\): restore it") as raised:
        objects.get_json("b", "k", lambda value: value["a"], "restore it")
    assert raised.value.__suppress_context__


def test_an_object_of_json_is_parsed(bucket):
    """And one that is not there is None."""
    store = bucket()
    assert objects.get_json("b", "k", lambda value: value["a"], "x") is None
    store.body = b'{"a": 1}'
    assert objects.get_json("b", "k", lambda value: value["a"], "x") == 1
