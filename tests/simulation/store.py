# ruff: noqa: N803 - the calls are named as boto3 names them
"""An object store in memory: the calls of S3 that the house makes, with versions, conditions and pages.

That it answers as a real one does is shown by `test_store.py`, which asks both the same.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.response import StreamingBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulation.world import World

_PAGE = 3  # keys a page: between two pages anything may happen


@dataclass
class Version:
    """One version of an object; `body` is None for a delete marker."""

    version: str
    body: bytes | None
    number: int
    modified: float

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body or b"", usedforsecurity=False).hexdigest()}"'


@dataclass(frozen=True)
class Put:
    """An object that came to be, as an event tells it."""

    bucket: str
    key: str
    version: str
    etag: str
    size: int


class Store:
    """Buckets; those in `versioned` keep every version of their objects."""

    def __init__(self, world: World, versioned: frozenset[str] = frozenset()) -> None:
        self.world = world
        self.versioned = versioned
        self.told: Callable[[Put], None] = lambda _: None
        self._buckets: dict[str, dict[str, list[Version]]] = {}
        self._numbers: Counter[str] = Counter()

    # --- calls, named and answering as boto3's client does

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: Any,
        IfNoneMatch: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        body = Body if isinstance(Body, bytes) else Body.encode() if isinstance(Body, str) else Body.read()

        def put() -> dict[str, Any]:
            return self._put(Bucket, Key, body, IfNoneMatch)

        return self._call("PutObject", f"{Bucket}/{Key}", put, again=put)

    def get_object(
        self,
        *,
        Bucket: str,
        Key: str,
        VersionId: str = "",
        IfMatch: str = "",
        Range: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        found = self._call(
            "GetObject", f"{Bucket}/{Key}", lambda: self._find(Bucket, Key, VersionId, IfMatch), write=False
        )
        body = _cut(found.body or b"", Range)
        sent = body
        rates = self.world.faults
        if self.world.current and self.world.random("faults").random() < rates.rate * rates.weights.get(
            "torn", 0
        ):
            sent = body[: len(body) // 2]  # the connection breaks while it is read
            self.world.note(f"GetObject {Bucket}/{Key} breaks off")
        answer = {"Body": StreamingBody(io.BytesIO(sent), len(body)), "ContentLength": len(body)}
        return answer | self._head(Bucket, found)

    def head_object(
        self,
        *,
        Bucket: str,
        Key: str,
        VersionId: str = "",
        IfMatch: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        found = self._call(
            "HeadObject", f"{Bucket}/{Key}", lambda: self._find(Bucket, Key, VersionId, IfMatch), write=False
        )
        return {"ContentLength": len(found.body or b"")} | self._head(Bucket, found)

    def delete_object(self, *, Bucket: str, Key: str, VersionId: str = "", **_: Any) -> dict[str, Any]:
        def delete() -> dict[str, Any]:
            self._delete(Bucket, Key, VersionId)
            return {}

        return self._call("DeleteObject", f"{Bucket}/{Key}", delete, again=delete)

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any], **_: Any) -> dict[str, Any]:
        def delete() -> dict[str, Any]:
            for entry in Delete["Objects"]:
                self._delete(Bucket, entry["Key"], entry.get("VersionId", ""))
            return {"Deleted": Delete["Objects"]}

        return self._call("DeleteObjects", f"{Bucket}/{len(Delete['Objects'])}", delete, again=delete)

    def get_paginator(self, operation: str) -> _Pages:
        return _Pages({"list_objects_v2": self._objects, "list_object_versions": self._versions}[operation])

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        return next(iter(self._objects(**request)))

    # --- what the calls do

    def _call(
        self,
        operation: str,
        name: str,
        effect: Callable[[], Any],
        *,
        write: bool = True,
        again: Callable[[], Any] | None = None,
    ) -> Any:
        def error(told: bool) -> Exception:
            if told:
                answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
                return ClientError(answer, operation)  # type: ignore[arg-type]
            kinds = (ConnectionClosedError, ReadTimeoutError)
            return kinds[self.world.writes % 2](endpoint_url="https://store")

        return self.world.io(f"{operation} {name}", effect, error=error, write=write, again=again)

    def _put(self, bucket: str, key: str, body: bytes, if_none_match: str) -> dict[str, Any]:
        versions = self._buckets.setdefault(bucket, {}).setdefault(key, [])
        if if_none_match and versions and versions[-1].body is not None:
            raise _refusal("PreconditionFailed", 412, "PutObject")
        if bucket not in self.versioned:
            versions.clear()
        versions.append(self._version(bucket, key, body))
        name = versions[-1].version
        self.told(Put(bucket, key, name, versions[-1].etag, len(body)))
        return self._head(bucket, versions[-1])

    def _version(self, bucket: str, key: str, body: bytes | None) -> Version:
        self._numbers[f"{bucket}/{key}"] += 1
        number = self._numbers[f"{bucket}/{key}"]
        return Version(f"v{number:06d}" if bucket in self.versioned else "null", body, number, self.world.now)

    def _delete(self, bucket: str, key: str, version: str) -> None:
        versions = self._buckets.get(bucket, {}).get(key, [])
        if version:
            versions[:] = [each for each in versions if each.version != version]
        elif bucket in self.versioned:
            versions.append(self._version(bucket, key, None))
        else:
            versions.clear()

    def _find(self, bucket: str, key: str, version: str, if_match: str) -> Version:
        versions = self._buckets.get(bucket, {}).get(key, [])
        found = [each for each in versions if each.version == version] if version else versions[-1:]
        if not found:
            raise _refusal("NoSuchVersion" if version else "NoSuchKey", 404, "GetObject")
        if found[0].body is None:
            raise _refusal("NoSuchKey", 404, "GetObject")
        if if_match and found[0].etag.strip('"') != if_match.strip('"'):
            raise _refusal("PreconditionFailed", 412, "GetObject")
        return found[0]

    def _head(self, bucket: str, found: Version) -> dict[str, Any]:
        answer = {"ETag": found.etag, "LastModified": datetime.fromtimestamp(found.modified, UTC)}
        return answer | ({"VersionId": found.version} if bucket in self.versioned else {})

    def _objects(
        self,
        *,
        Bucket: str,
        Prefix: str = "",
        Delimiter: str = "",
        StartAfter: str = "",
        **_: Any,
    ) -> Iterator[dict[str, Any]]:
        after = StartAfter
        while True:
            page, after, more = self._call(
                "ListObjectsV2", f"{Bucket}/{Prefix}",
                lambda start=after: self._page(Bucket, Prefix, Delimiter, start), write=False,
            )  # fmt: skip
            yield page
            if not more:
                return

    def _page(self, bucket: str, prefix: str, delimiter: str, after: str) -> tuple[dict[str, Any], str, bool]:
        contents: list[dict[str, Any]] = []
        folders: list[str] = []
        last = after
        for key, versions in sorted(self._buckets.get(bucket, {}).items()):
            if not key.startswith(prefix) or key <= after or not versions or versions[-1].body is None:
                continue
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            folder = key[: cut + 1] if cut >= 0 else ""
            if folder and (folder in folders or after.startswith(folder)):
                continue
            if len(contents) + len(folders) == _PAGE:
                return _listed(contents, folders), last, True
            last = folder or key
            if folder:
                folders.append(folder)
            else:
                contents.append(_entry(key, versions[-1]))
        return _listed(contents, folders), after, False

    def _versions(self, *, Bucket: str, Prefix: str = "", **_: Any) -> Iterator[dict[str, Any]]:
        after: tuple[str, int] = ("", 0)
        while True:
            page = self._call(
                "ListObjectVersions", f"{Bucket}/{Prefix}",
                lambda start=after: self._version_page(Bucket, Prefix, start), write=False,
            )  # fmt: skip
            yield _versioned([each for each in page if each[1].body is not None], page)
            if len(page) < _PAGE:
                return
            after = (page[-1][0], -page[-1][1].number)

    def _version_page(
        self, bucket: str, prefix: str, after: tuple[str, int]
    ) -> list[tuple[str, Version, bool]]:
        """Return the next versions by key, the newest first, and whether each is its key's latest."""
        found = [
            (key, version, version is versions[-1])
            for key, versions in self._buckets.get(bucket, {}).items()
            for version in versions
            if key.startswith(prefix) and (key, -version.number) > after
        ]
        return sorted(found, key=lambda each: (each[0], -each[1].number))[:_PAGE]


class _Pages:
    def __init__(self, pages: Callable[..., Iterator[dict[str, Any]]]) -> None:
        self.paginate = pages


def _cut(body: bytes, wanted: str) -> bytes:
    if not wanted:
        return body
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    if not first:
        return body[-int(last) :]
    if int(first) >= len(body):
        raise _refusal("InvalidRange", 416, "GetObject")
    return body[int(first) : int(last) + 1 if last else None]


def _refusal(code: str, status: int, operation: str) -> ClientError:
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)  # type: ignore[arg-type]


def _entry(key: str, version: Version) -> dict[str, Any]:
    when = datetime.fromtimestamp(version.modified, UTC)
    return {"Key": key, "ETag": version.etag, "Size": len(version.body or b""), "LastModified": when}


def _listed(contents: list[dict[str, Any]], folders: list[str]) -> dict[str, Any]:
    page: dict[str, Any] = {"KeyCount": len(contents) + len(folders)}
    if contents:
        page["Contents"] = contents
    if folders:
        page["CommonPrefixes"] = [{"Prefix": folder} for folder in folders]
    return page


def _versioned(
    kept: list[tuple[str, Version, bool]], page: list[tuple[str, Version, bool]]
) -> dict[str, Any]:
    marked = [each for each in page if each[1].body is None]
    answer: dict[str, Any] = {}
    if kept:
        answer["Versions"] = [
            _entry(key, version) | {"VersionId": version.version, "IsLatest": latest}
            for key, version, latest in kept
        ]
    if marked:
        answer["DeleteMarkers"] = [
            {"Key": key, "VersionId": version.version, "IsLatest": latest} for key, version, latest in marked
        ]
    return answer
