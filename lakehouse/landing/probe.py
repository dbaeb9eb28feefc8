"""Asks an object store for what claims, raw files and put rest on, before anything is entrusted to it.

S3 keeps these promises; a store that speaks its language may know the words of a conditional write and not their
meaning, and then loses data without a word.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from lakehouse import aws, objects
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX = ".probe/"
_kept: set[tuple[str, str]] = set()  # endpoint and bucket of the stores that this process has asked
_REFUSED = frozenset({412, 409})
_UNKNOWN = frozenset({400, 405, 501})  # what stores answer to a condition that they do not know
_NO_ETAG = '"00000000000000000000000000000000"'


def probe_once(bucket: str, *, racers: int = 1) -> None:
    """Probe a store that this process has not asked yet."""
    store = (aws.s3().meta.endpoint_url, bucket)
    if store not in _kept:
        probe(bucket, racers=racers)
        _kept.add(store)


def probe(bucket: str, *, racers: int = 1) -> None:
    """Raise `Terminal`, which names every promise that the store does not keep; leave no object behind.

    `racers` writers at once find out a store that looks first and writes then; SeaweedFS takes a second for each,
    so one is the default, which finds out a store that does not know the condition. About fifteen requests.
    Errors of another kind (no such bucket, no permission) are raised as they come.
    """
    probed = _Probe(bucket, f"{PREFIX}{uuid4()}")
    try:
        broken = list(probed.broken(racers))
    finally:
        probed.clean()
    if broken:
        raise Terminal(
            f"the object store at {aws.s3().meta.endpoint_url} cannot be used: on bucket {bucket} it"
            f" {'; it '.join(broken)}. Two writers would both believe they were first, and rows would be lost or"
            " doubled. Use a store with conditional writes (S3, SeaweedFS, a recent MinIO), and no gateway that"
            " drops their headers"
        )


class _Probe:
    def __init__(self, bucket: str, folder: str) -> None:
        self._bucket = bucket
        self._key = f"{folder}/object"
        self._folder = folder
        self._versions: list[str] = []

    def broken(self, racers: int) -> Iterator[str]:
        """Yield what the store does and must not do."""
        bodies = [f"racer {number}".encode() for number in range(racers)]
        with ThreadPoolExecutor(racers) as pool:
            won = [body for body, first in zip(bodies, pool.map(self._first, bodies), strict=True) if first]
        if len(won) > 1:
            yield f"let {len(won)} of {racers} writers at once be the first under If-None-Match"
        elif self._first(b"late"):
            yield "ignores If-None-Match"
        elif won and objects.get(self._bucket, self._key) != won[0]:
            yield "answers a read with other bytes than the write that won"
        written = [self._put(body) for body in (b"old", b"new")]
        if objects.get(self._bucket, self._key) != b"new":
            yield "answers a read with what stood there before the last write"
        if not self._refuses(self._complete):
            yield "ignores If-None-Match where an upload of several parts is completed"
        if not self._refuses(lambda: aws.s3().get_object(**self._place, IfMatch=_NO_ETAG)):
            yield "ignores If-Match on reads, so that a file which was replaced passes for the one announced"
        if list(objects.list_keys(self._bucket, f"{self._folder}/")) != ["object"]:
            yield "does not list what was written"
        if all(written) and self._read(written[0]) != b"old":
            yield "does not keep the versions of an object apart"

    def clean(self) -> None:
        """Remove every version that was written, by its id: deleting by key alone would add a marker."""
        for version in self._versions:
            aws.s3().delete_object(**self._place, VersionId=version)
        if not self._versions:
            aws.s3().delete_object(**self._place)

    @property
    def _place(self) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._key}

    def _first(self, body: bytes) -> bool:
        """Write if nothing is there; return whether the store says so."""
        return not self._refuses(lambda: self._put(body, IfNoneMatch="*"))

    def _put(self, body: bytes, **condition: Any) -> str:
        answer = aws.s3().put_object(**self._place, Body=body, **condition)
        return self._noted(answer.get("VersionId"))

    def _read(self, version: str) -> bytes:
        return aws.s3().get_object(**self._place, VersionId=version)["Body"].read()

    def _complete(self) -> None:
        upload = aws.s3().create_multipart_upload(**self._place)["UploadId"]
        part = aws.s3().upload_part(**self._place, UploadId=upload, PartNumber=1, Body=b"part")
        try:
            answer = aws.s3().complete_multipart_upload(
                **self._place,
                UploadId=upload,
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
                IfNoneMatch="*",
            )
        except ClientError:
            aws.s3().abort_multipart_upload(**self._place, UploadId=upload)
            raise
        self._noted(answer.get("VersionId"))

    def _noted(self, version: str | None) -> str:
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
