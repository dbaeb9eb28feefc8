"""Lands files from disk. The key holds the content's hash, so that the same file put twice lands once.

A small file goes up in one request. A large one goes up in parts, a few at once, and is completed on the condition
that nothing stands under its key: S3 takes 5 GiB in one request and 10,000 parts. Whatever the number and size of
the files, about 150 MiB of them are in memory.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import Terminal, Transient

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*/[a-z0-9][a-z0-9_]*")
# What stores and XML do not take as it is: control characters, half a pair of surrogates (a name in another
# encoding than UTF-8), and the backslash, which some make a slash of.
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff\ufffe\uffff]")
_KEY_BYTES = 1_024
_NAME_BYTES = 200  # of a file's name that its key keeps, from the end; SeaweedFS takes some 240
_CHUNK = 1 << 20
_SINGLE = 8 << 20  # bytes that go up in one request
_PART = 16 << 20  # bytes of a part, more in a file that would have too many of them
_PARTS = 10_000
_IN_FLIGHT = 64 << 20  # bytes of parts under way
_FILES = 4  # at once
_AHEAD = 4 * _FILES  # files whose outcome waits for one before them
_TRIES = 3
_THERE = frozenset({"PreconditionFailed", "412"})
_RACING = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})
_ENDED = "NoSuchUpload"  # answers a completion that is sent again because its answer was lost
_LARGE = Lock()  # one large file at a time: its parts go up side by side

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Landed:
    """A file that was put; `fresh` is False where the same content was there already."""

    key: str
    bytes: int
    fresh: bool


@dataclass(frozen=True)
class Refused:
    """A file that could not be landed, and why."""

    path: Path
    reason: str


def put(bucket: str, source_key: str, path: Path, *, progress: Progress | None = None) -> Landed:
    """Land one file under `source_key` (`source/entity`).

    `progress` hears of the bytes sent. Raises `Terminal` for a source key or path that cannot be landed, and for a file
    that changes meanwhile.
    """
    check_source_key(source_key)
    if not path.is_file():
        raise Terminal(f"{path}: {'a folder that cannot be read' if path.is_dir() else 'no such file'}")
    with path.open("rb") as file:
        head = file.read(_SINGLE + 1)
        large = len(head) > _SINGLE
        digest, size = _digest(head, file if large else None)
        key = f"{source_key}/{digest[:16]}/{_plain(path.name)}"
        if len(key.encode()) > _KEY_BYTES:
            raise Terminal(f"{path}: {source_key} is too long; a key has at most {_KEY_BYTES} bytes")
        if large:
            del head
            fresh = _Upload(bucket, key, path, digest, size).send(file, progress)
        else:
            fresh = _put_once(bucket, key, head)
    if progress is not None and not (large and fresh):
        progress(size)
    return Landed(key, size, fresh=fresh)


def put_all(
    bucket: str, source_key: str, paths: Iterable[Path], *, progress: Progress | None = None
) -> Iterator[Landed | Refused]:
    """Land files, a few at once; yield what became of each, in order.

    A file that cannot be landed does not stop the others. `progress` is called in several threads. A store that is
    away ends it all, and is raised.
    """
    check_source_key(source_key)

    def land(path: Path) -> Landed | Refused:
        try:
            return put(bucket, source_key, path, progress=progress)
        except (Terminal, OSError) as error:
            return Refused(path, str(error))
        except ClientError as error:
            return Refused(path, f"{path}: {error}")

    with ThreadPoolExecutor(_FILES, "put") as pool:
        waiting: deque[Future[Landed | Refused]] = deque()
        try:
            for path in paths:
                waiting.append(pool.submit(land, path))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that are meant: those named, and those in folders named, at any depth, by name.

    Names that begin with a dot are left out of folders. What is no file, or a folder that cannot be read, is
    yielded as it is: `put` says what is wrong with it.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        unread: list[OSError] = []
        for folder, names, files in os.walk(path, onerror=unread.append):
            names[:] = sorted(name for name in names if not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
        yield from (Path(error.filename) for error in unread)


def check_source_key(source_key: str) -> None:
    """Raise `Terminal` unless `source_key` is SOURCE/ENTITY."""
    if not _NAME.fullmatch(source_key):
        raise Terminal(
            f"{source_key!r} is not SOURCE/ENTITY, like web/events (lower-case letters, digits, _)"
        )


def _plain(name: str) -> str:
    """Return a file's name as every store takes it; what tells files apart is the hash before it."""
    return _ODD.sub("_", name).encode()[-_NAME_BYTES:].decode("utf-8", "ignore")


def _digest(head: bytes, rest: BinaryIO | None) -> tuple[str, int]:
    """Return the sha-256 of what was read of a file and what is left, and how much it was."""
    digest, size = hashlib.sha256(head), len(head)
    while rest is not None and (chunk := rest.read(_CHUNK)):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _put_once(bucket: str, key: str, body: bytes) -> bool:
    """Write an object unless there is one; return whether it was written."""
    for _ in range(_TRIES):
        try:
            aws.s3().put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in _THERE:
                return False
            if _code(error) not in _RACING:
                raise
        else:
            return True
    raise Transient(f"s3://{bucket}/{key} could not be written: others write it too; try again")


class _Upload:
    """A large file on its way."""

    def __init__(self, bucket: str, key: str, path: Path, digest: str, size: int) -> None:
        self._place: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._path = path
        self._digest = digest
        self._part = max(_PART, -(-size // _PARTS))
        self._id = ""

    def send(self, file: BinaryIO, progress: Progress | None) -> bool:
        """Send the file from its beginning unless it is there; return whether it was sent."""
        with _LARGE:
            if self._there():
                return False
            self._id = aws.s3().create_multipart_upload(**self._place)["UploadId"]
            try:
                aws.s3().complete_multipart_upload(
                    **self._place,
                    UploadId=self._id,
                    MultipartUpload={"Parts": self._send_parts(file, progress)},
                    IfNoneMatch="*",
                )
            except BaseException as error:
                with suppress(ClientError):  # the bucket's lifecycle ends it otherwise
                    aws.s3().abort_multipart_upload(**self._place, UploadId=self._id)
                code = _code(error) if isinstance(error, ClientError) else ""
                if code in _THERE | _RACING | {_ENDED} and self._there():
                    return code == _ENDED
                raise
        return True

    def _there(self) -> bool:
        try:
            aws.s3().head_object(**self._place)
        except ClientError as error:
            if _code(error) in ("404", "NoSuchKey", "NotFound"):
                return False
            raise
        return True

    def _send_parts(self, file: BinaryIO, progress: Progress | None) -> list[Any]:
        """Send the parts and return them; `Terminal` when they are not what was hashed before."""
        file.seek(0)
        again = hashlib.sha256()
        sent: list[Future[Any]] = []
        at_once = max(1, _IN_FLIGHT // self._part)
        with ThreadPoolExecutor(at_once, "part") as pool:
            under_way: set[Future[Any]] = set()
            while body := file.read(self._part):
                again.update(body)
                while len(under_way) >= at_once:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    for each in done:
                        each.result()
                sent.append(pool.submit(self._send_part, len(sent) + 1, body, progress))
                under_way.add(sent[-1])
            parts = [each.result() for each in sent]
        if again.hexdigest() != self._digest:
            raise Terminal(
                f"{self._path}: the file changed while it was landed; put it again when it is done"
            )
        return parts

    def _send_part(self, number: int, body: bytes, progress: Progress | None) -> dict[str, Any]:
        answer = aws.s3().upload_part(**self._place, UploadId=self._id, PartNumber=number, Body=body)
        if progress is not None:
            progress(len(body))
        return {"PartNumber": number, "ETag": answer["ETag"]}


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
