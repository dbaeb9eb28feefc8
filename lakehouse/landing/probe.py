"""Tries an object store for what claims, raw files and put rely on, before any data is written to it.

S3 keeps these promises. A store that speaks its protocol may take the headers of a conditional write and ignore them,
and then data is lost without an error.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from lakehouse import aws, objects
from lakehouse.errors import Terminal
from lakehouse.landing.policy import ProbePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX = ".probe/"
_probed: set[tuple[str, str]] = set()  # endpoint and bucket of the stores that this process found good
_REFUSED = frozenset({412, 409})
_UNKNOWN = frozenset({400, 405, 501})  # what stores answer to a condition that they do not know
_NO_ETAG = '"00000000000000000000000000000000"'


def probe_once(bucket: str, *, racers: int = 1) -> None:
    """Probe a store that this process has not found good yet."""
    store = (aws.s3().meta.endpoint_url, bucket)
    if store not in _probed:
        probe(bucket, racers=racers)
        _probed.add(store)


def probe(bucket: str, *, racers: int = 1) -> None:
    """Raise `Terminal`, which names every promise that the store does not keep; leave no object behind.

    `racers` writers at once find out a store that looks first and writes then; SeaweedFS takes a second for each,
    so one is the default, which finds out a store that does not know the condition. About fifteen requests.
    Errors of another kind (no such bucket, no permission) are raised as they come.
    """
    store = _Probe(bucket, f"{PREFIX}{uuid4()}")
    try:
        broken_promises = list(store.broken_promises(racers))
    finally:
        store.clean()
    if broken_promises:
        raise Terminal(
            f"the object store at {aws.s3().meta.endpoint_url} cannot be used: on bucket {bucket} it "
            f"{'; it '.join(broken_promises)}. Two writers would both believe they were first, and rows would be lost "
            "or doubled. Use a store with conditional writes (S3, SeaweedFS, a recent MinIO), and no gateway that "
            "drops their headers"
        )


def try_writes(*buckets: str) -> None:
    """Write some small objects to each bucket and remove them again; raises what the store says when it takes none.

    A store whose disk was full takes some and refuses others.
    """
    for bucket in buckets:
        for number in range(ProbePolicy.writes):
            key = f"{PREFIX}{uuid4()}/write-{number}"
            answer = aws.s3().put_object(Bucket=bucket, Key=key, Body=b"-" * ProbePolicy.written_bytes)
            written: dict[str, Any] = {"Bucket": bucket, "Key": key}
            if version := answer.get("VersionId"):
                written["VersionId"] = version
            aws.s3().delete_object(**written)


class _Probe:
    """One object below the probe's folder, and what the store does with it."""

    def __init__(self, bucket: str, folder: str) -> None:
        self._bucket = bucket
        self._key = f"{folder}/object"
        self._folder = folder
        self._versions: list[str] = []

    def broken_promises(self, racers: int) -> Iterator[str]:
        """Yield what the store does and must not do. The order matters: later requests find what earlier ones wrote."""
        yield from self._check_first_write(racers)
        yield from self._check_overwriting()
        if not self._refuses(self._complete_upload):
            yield "ignores If-None-Match where an upload of several parts is completed"
        if not self._refuses(lambda: aws.s3().get_object(**self._object, IfMatch=_NO_ETAG)):
            yield "ignores If-Match on reads, so that a file which was replaced passes for the one announced"
        if list(objects.list_keys(self._bucket, f"{self._folder}/")) != ["object"]:
            yield "does not list what was written"

    def clean(self) -> None:
        """Remove every version that was written, by its id: deleting by key alone would add a marker."""
        for version in self._versions:
            aws.s3().delete_object(**self._object, VersionId=version)
        if not self._versions:
            aws.s3().delete_object(**self._object)

    @property
    def _object(self) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._key}

    def _check_first_write(self, racers: int) -> Iterator[str]:
        """Let several writers try to be the first: one of them may be, and its bytes must stay."""
        bodies = [f"racer {number}".encode() for number in range(racers)]
        with ThreadPoolExecutor(racers) as pool:
            outcomes = list(pool.map(self._write_first, bodies))
        winners = [body for body, was_first in zip(bodies, outcomes, strict=True) if was_first]
        if len(winners) > 1:
            yield f"let {len(winners)} of {racers} writers at once be the first under If-None-Match"
        elif self._write_first(b"late"):
            yield "ignores If-None-Match"
        elif winners and objects.get(self._bucket, self._key) != winners[0]:
            yield "answers a read with other bytes than the write that won"

    def _check_overwriting(self) -> Iterator[str]:
        """Write twice: a read must give the last bytes, and the id of the version before the bytes before."""
        old_version, new_version = self._put(b"old"), self._put(b"new")
        if objects.get(self._bucket, self._key) != b"new":
            yield "answers a read with what stood there before the last write"
        if old_version and new_version and self._read(old_version) != b"old":
            yield "does not keep the versions of an object apart"

    def _write_first(self, body: bytes) -> bool:
        """Write if nothing is there; return whether the store says so."""
        return not self._refuses(lambda: self._put(body, IfNoneMatch="*"))

    def _put(self, body: bytes, **condition: Any) -> str:
        """Write, and return the version's id; empty where the bucket keeps no versions."""
        answer = aws.s3().put_object(**self._object, Body=body, **condition)
        return self._note_version(answer.get("VersionId"))

    def _read(self, version: str) -> bytes:
        return aws.s3().get_object(**self._object, VersionId=version)["Body"].read()

    def _complete_upload(self) -> None:
        """Complete an upload of one part, on the condition that nothing is there."""
        upload = aws.s3().create_multipart_upload(**self._object)["UploadId"]
        part = aws.s3().upload_part(**self._object, UploadId=upload, PartNumber=1, Body=b"part")
        try:
            answer = aws.s3().complete_multipart_upload(
                **self._object,
                UploadId=upload,
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
                IfNoneMatch="*",
            )
        except ClientError:
            aws.s3().abort_multipart_upload(**self._object, UploadId=upload)
            raise
        self._note_version(answer.get("VersionId"))

    def _note_version(self, version: str | None) -> str:
        """Remember a version that is to be removed, and return its id."""
        if version and version != "null":
            self._versions.append(version)
            return version
        return ""

    def _refuses(self, request: Callable[[], object]) -> bool:
        """Return whether a conditional request is refused as it should be; other errors are raised."""
        try:
            request()
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status in _UNKNOWN:
                return False
            if status not in _REFUSED:
                raise
            return True
        return False
