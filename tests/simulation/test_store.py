"""The simulated object store answers as a real one: the same questions are put to SeaweedFS."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from lakehouse import aws
from lakehouse.landing.raw_files import from_object, listing
from lakehouse.objects import get, list_folders, list_keys, put_once
from tests.simulation.store import Store
from tests.simulation.world import Faults, World

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.stack


@pytest.fixture(params=["simulated", "real"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], str]:
    """Makes a bucket, with versions or without; `aws.s3()` is the client that knows it."""
    if request.param == "simulated":
        store = Store(World(0), frozenset({"versioned"}))
        monkeypatch.setattr(aws, "_client", lambda _: store)
        return lambda versioned: "versioned" if versioned else "plain"
    request.getfixturevalue("landing")

    def make(versioned: bool) -> str:
        name = f"sim-{uuid.uuid4().hex}"
        aws.s3().create_bucket(Bucket=name)
        if versioned:
            aws.s3().put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    return make


def _code(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def _body(**place: Any) -> bytes:
    return aws.s3().get_object(**place)["Body"].read()


def test_a_write_on_condition_has_one_winner(bucket):
    """What stands there is not overwritten; what was deleted may be written again."""
    s3, name = aws.s3(), bucket(versioned=False)
    assert put_once(name, "k", b"first") == b"first"
    assert put_once(name, "k", b"second") == b"first"
    refused = _code(s3.put_object, Bucket=name, Key="k", Body=b"x", IfNoneMatch="*")
    assert refused == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=name, Key="k")
    assert get(name, "k") is None
    assert put_once(name, "k", b"third") == b"third"


def test_reading_on_condition(bucket):
    """An etag names one content: whoever comes late is told."""
    s3, name = aws.s3(), bucket(versioned=False)
    etag = s3.put_object(Bucket=name, Key="k", Body=b"one")["ETag"]
    assert _body(Bucket=name, Key="k", IfMatch=etag) == b"one"
    s3.put_object(Bucket=name, Key="k", Body=b"two")
    assert _code(s3.get_object, Bucket=name, Key="k", IfMatch=etag) == ("PreconditionFailed", 412)
    assert _code(s3.get_object, Bucket=name, Key="none") == ("NoSuchKey", 404)
    assert s3.get_object(Bucket=name, Key="k")["ContentLength"] == 3


def test_versions_stay(bucket):
    """Every version can be read and listed until that version is deleted; a marker only hides them."""
    s3, name = aws.s3(), bucket(versioned=True)
    first, second = (s3.put_object(Bucket=name, Key="a/b/k", Body=body)["VersionId"] for body in (b"1", b"2"))
    s3.delete_object(Bucket=name, Key="a/b/k")
    assert _code(s3.get_object, Bucket=name, Key="a/b/k") == ("NoSuchKey", 404)
    assert _body(Bucket=name, Key="a/b/k", VersionId=first) == b"1"
    assert {file.version for file in listing(name)} == {first, second}
    assert list(list_keys(name, "a/")) == []
    s3.delete_object(Bucket=name, Key="a/b/k", VersionId=first)
    assert _code(s3.get_object, Bucket=name, Key="a/b/k", VersionId=first)[1] == 404
    assert {file.version for file in listing(name)} == {second}


def test_a_file_is_the_same_by_event_and_by_listing(bucket):
    """Its id comes from bucket, key and version, or etag where there are none."""
    for versioned in (True, False):
        name = bucket(versioned)
        answer = aws.s3().put_object(Bucket=name, Key="web/events/x", Body=b"{}")
        [listed] = listing(name)
        assert listed == from_object(name, {"key": "web/events/x", **answer, "size": 2})
        assert listed.is_etag is not versioned


def test_listings_come_in_order_and_whole(bucket):
    """By key, with folders where a delimiter is named, from a place on."""
    name = bucket(versioned=False)
    keys = ["a/1", "a/2", "b/x/1", "b/x/2", "b/y/1", "c", *(f"d/{n}" for n in range(5))]
    for key in reversed(keys):
        aws.s3().put_object(Bucket=name, Key=key, Body=b"x")
    assert list(list_keys(name, "")) == keys
    assert list(list_folders(name, "")) == ["a", "b", "d"]
    assert list(list_folders(name, "b/")) == ["x", "y"]
    assert list(list_folders(name, "b/", after="x")) == ["y"]
    assert [file.key for file in listing(name, "d/")] == keys[-5:]


def test_a_part_can_be_read(bucket):
    """From a byte to another, to the end, or the last ones."""
    name = bucket(versioned=False)
    aws.s3().put_object(Bucket=name, Key="k", Body=b"0123456789")
    wanted = {"bytes=2-4": b"234", "bytes=7-": b"789", "bytes=-3": b"789", "bytes=8-20": b"89"}
    assert {part: _body(Bucket=name, Key="k", Range=part) for part in wanted} == wanted
    assert _code(aws.s3().get_object, Bucket=name, Key="k", Range="bytes=10-")[1] == 416


def test_a_body_that_breaks_off_is_noticed():
    """As botocore does: a body shorter than it was announced is an error, not a shorter file."""
    world = World(0, Faults(rate=1.0, weights={"torn": 1.0}))
    store = Store(world)
    store.put_object(Bucket="b", Key="k", Body=b"0123456789")
    read = []

    def body() -> None:
        with pytest.raises(IncompleteReadError):
            read.extend(store.get_object(Bucket="b", Key="k")["Body"].iter_chunks(4))

    world.start("reader", body)
    world.run()
    assert b"".join(read) == b"01234"
