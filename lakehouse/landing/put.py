"""Lands files from disk. The key holds the content's hash, so that the same file put twice lands once.

Bytes that were put before, but are not the newest of their name, land again, under a key that says when: what came
last is what counts. See `lakehouse.landing.newest`.

A small file goes up in one request. A large one goes up in parts, a few at once, and is completed on the condition
that nothing stands under its key: S3 takes 5 GiB in one request and 10,000 parts. Whatever the number and size of
the files, about 150 MiB of them are in memory.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import Terminal, Transient
from lakehouse.landing.newest import Newest, NewestNotes
from lakehouse.landing.policy import PUT_RETRY, PutPolicy, ReadPolicy
from lakehouse.progress import Progress, ProgressSum, no_progress
from lakehouse.retrying import retry_on_conflict

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_SOURCE_KEY = re.compile(r"[a-z0-9][a-z0-9_]*/[a-z0-9][a-z0-9_]*")
# What stores and XML do not take as it is: control characters, half a pair of surrogates (a name in another
# encoding than UTF-8), and the backslash, which some make a slash of.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff\ufffe\uffff]")
_KEY_BYTES: Final = 1_024  # S3's limit of a key
_PARTS: Final = 10_000  # S3's limit of the parts of an object
_HASH_DIGITS: Final = 16  # of the content's sha-256 that stand in a key: the layout of the landing bucket
_EXISTS = frozenset({"PreconditionFailed", "412"})
_RACING = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_COMPLETED_BEFORE = "NoSuchUpload"  # answers a completion that is sent again because its answer was lost
_LARGE = Lock()  # one large file at a time: its parts go up side by side

OnSent = Callable[[int], None]  # hears of bytes that were sent


@dataclass(frozen=True)
class FileToPut:
    """A file on disk; `name` is its path below the folder that was put, else what it is called."""

    path: Path
    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names by which it is known which content came last, the more exact one first."""
        return (self.name,) if self.name == self.path.name else (self.name, self.path.name)


@dataclass(frozen=True)
class Landed:
    """A file that was put; `fresh` is False where the same content was there already, as the newest of its name."""

    key: str
    bytes: int
    fresh: bool


@dataclass(frozen=True)
class Refused:
    """A file that could not be landed, and why."""

    path: Path
    reason: str


class _Race(Transient):
    """Another writer is writing the same key."""


def put(settings: Settings, source_key: str, path: Path, *, progress: Progress = no_progress) -> Landed:
    """Land one file under `source_key` (`source/entity`).

    `progress` hears of the bytes sent, of those of the file. Raises `Terminal` for a source key or path that cannot be
    landed, and for a file that changes meanwhile.
    """
    check_source_key(source_key)
    size = path.stat().st_size if path.is_file() else 0
    return _land(settings, source_key, FileToPut(path, path.name), ProgressSum(progress, path.name, size).add)


def put_all(
    settings: Settings,
    source_key: str,
    files: Iterable[FileToPut],
    *,
    total_bytes: int = 0,
    progress: Progress = no_progress,
) -> Iterator[Landed | Refused]:
    """Land files, a few at once; yield what became of each, in order. Files of one name land in their order.

    A file that cannot be landed does not stop the others. `progress` is called in several threads, and hears of the
    bytes sent of all files, of `total_bytes` where that is known. A store that is away ends it all, and is raised.
    """
    check_source_key(source_key)
    sent = ProgressSum(progress, "landing", total_bytes)

    def land(file: FileToPut, before: Sequence[Future[Landed | Refused]]) -> Landed | Refused:
        wait(before)
        try:
            return _land(settings, source_key, file, sent.add)
        except (Terminal, OSError) as error:
            return Refused(file.path, str(error))
        except ClientError as error:
            return Refused(file.path, f"{file.path}: {error}")

    waiting: deque[tuple[str, Future[Landed | Refused]]] = deque()
    with ThreadPoolExecutor(PutPolicy.files_at_once, "put") as pool:
        try:
            for file in files:
                of_same_name = [future for name, future in waiting if name == file.path.name]
                waiting.append((file.path.name, pool.submit(land, file, of_same_name)))
                if len(waiting) > PutPolicy.files_ahead:
                    yield waiting.popleft()[1].result()
            while waiting:
                yield waiting.popleft()[1].result()
        finally:
            for _, future in waiting:
                future.cancel()


def files_in(paths: Iterable[Path]) -> Iterator[FileToPut]:
    """Yield the files that are meant: those named, and those in folders named, at any depth, by name.

    Names that begin with a dot are left out of folders. What is no file, or a folder that cannot be read, is
    yielded as it is: `put` says what is wrong with it.
    """
    for path in paths:
        if path.is_dir():
            for file in _files_below(path):
                yield FileToPut(file, file.relative_to(path).as_posix())
        else:
            yield FileToPut(path, path.name)


def _files_below(folder: Path) -> Iterator[Path]:
    unreadable: list[OSError] = []
    for current, folder_names, file_names in os.walk(folder, onerror=unreadable.append):
        folder_names[:] = sorted(filter(_is_visible, folder_names))
        for name in sorted(filter(_is_visible, file_names)):
            yield Path(current, name)
    for error in unreadable:
        yield Path(error.filename)


def _is_visible(name: str) -> bool:
    return not name.startswith(".")


def check_source_key(source_key: str) -> None:
    """Raise `Terminal` unless a text is SOURCE/ENTITY."""
    if not _SOURCE_KEY.fullmatch(source_key):
        raise Terminal(
            f"{source_key!r} is not SOURCE/ENTITY, like web/events (lower-case letters, digits, _)"
        )


def _land(settings: Settings, source_key: str, file_to_put: FileToPut, on_sent: OnSent) -> Landed:
    path, bucket = file_to_put.path, settings.landing_bucket
    if not path.is_file():
        raise Terminal(f"{path}: {'a folder that cannot be read' if path.is_dir() else 'no such file'}")
    notes = NewestNotes(settings.ops_bucket, source_key, file_to_put.names)
    with path.open("rb") as file:
        head = file.read(PutPolicy.single_request_bytes + 1)
        if len(head) <= PutPolicy.single_request_bytes:
            body, size, digest = head, len(head), hashlib.sha256(head).hexdigest()
            key, fresh = _send_newest(
                source_key, path, digest, notes, lambda key: _put_once(bucket, key, body)
            )
            on_sent(size)
            return Landed(key, size, fresh=fresh)
        digest, size = _digest(head, file)
        del head  # large, and the upload reads from the beginning
        key, fresh = _send_newest(
            source_key,
            path,
            digest,
            notes,
            lambda key: _Upload(bucket, key, path, digest, size).send(file, on_sent),
        )
    if not fresh:
        on_sent(size)
    return Landed(key, size, fresh=fresh)


def _send_newest(
    source_key: str, path: Path, digest: str, notes: NewestNotes, send: Callable[[str], bool]
) -> tuple[str, bool]:
    """Send a file unless its content is there as the newest of its name; return its key, and whether it was sent.

    `send` sends it to a key unless there is something, and says whether it did. Content that comes again is noted
    before it is sent, so that whoever is stopped in between sends it to the same key the next time.
    """
    key = _key(source_key, path, digest)
    if send(key):
        notes.write(Newest(digest, key))
        return key, True
    newest = notes.read()
    if newest is None:  # landed before there were notes, or stopped before it was noted
        notes.write(Newest(digest, key))
        return key, False
    if newest.digest == digest:
        return newest.key, newest.key != key and send(newest.key)
    key = _key(source_key, path, digest, datetime.now(UTC))
    notes.write(Newest(digest, key))
    return key, send(key)


def _key(source_key: str, path: Path, digest: str, again: datetime | None = None) -> str:
    """Return the key of a file with this sha-256; `again`: when the same content came another time, after others.

    Raises Terminal where it would be too long.
    """
    version = digest[:_HASH_DIGITS] if again is None else f"{digest[:_HASH_DIGITS]}-{again:%Y%m%dT%H%M%S%f}"
    key = f"{source_key}/{version}/{_safe_name(path.name)}"
    if len(key.encode()) > _KEY_BYTES:
        raise Terminal(f"{path}: {source_key} is too long; a key has at most {_KEY_BYTES} bytes")
    return key


def _safe_name(name: str) -> str:
    """Return a file's name as every store takes it; what tells files apart is the hash before it."""
    return _UNSAFE.sub("_", name).encode()[-PutPolicy.name_bytes :].decode("utf-8", "ignore")


def _digest(head: bytes, rest: BinaryIO) -> tuple[str, int]:
    """Return sha-256 and size of a file of which the head was read already."""
    digest, size = hashlib.sha256(head), len(head)
    while chunk := rest.read(ReadPolicy.chunk_bytes):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _put_once(bucket: str, key: str, body: bytes) -> bool:
    """Write an object unless there is one; return whether it was written."""

    def write() -> bool:
        try:
            aws.s3().put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in _EXISTS:
                return False
            if _code(error) in _RACING:
                message = f"s3://{bucket}/{key} could not be written: others write it too; try again"
                raise _Race(message) from error
            raise
        return True

    return retry_on_conflict(write, PUT_RETRY, conflicts=(_Race,))


class _Upload:
    """A large file on its way."""

    def __init__(self, bucket: str, key: str, path: Path, digest: str, size: int) -> None:
        self._object: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._path = path
        self._digest = digest
        self._part_bytes = max(PutPolicy.part_bytes, -(-size // _PARTS))
        self._id = ""

    def send(self, file: BinaryIO, on_sent: OnSent) -> bool:
        """Send the file from its beginning unless it is there; return whether it was sent."""
        with _LARGE:
            if self._exists():
                return False
            self._id = aws.s3().create_multipart_upload(**self._object)["UploadId"]
            try:
                self._complete(self._send_parts(file, on_sent))
            except BaseException as error:
                self._abort()
                code = _code(error) if isinstance(error, ClientError) else ""
                if code in _EXISTS | _RACING | {_COMPLETED_BEFORE} and self._exists():
                    return code == _COMPLETED_BEFORE
                raise
        return True

    def _exists(self) -> bool:
        try:
            aws.s3().head_object(**self._object)
        except ClientError as error:
            if _code(error) in _MISSING:
                return False
            raise
        return True

    def _complete(self, parts: list[Any]) -> None:
        aws.s3().complete_multipart_upload(
            **self._object, UploadId=self._id, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )

    def _abort(self) -> None:
        with suppress(ClientError):  # the bucket's lifecycle ends it otherwise
            aws.s3().abort_multipart_upload(**self._object, UploadId=self._id)

    def _send_parts(self, file: BinaryIO, on_sent: OnSent) -> list[dict[str, Any]]:
        """Send the parts and return them; `Terminal` when they are not what was hashed before."""
        file.seek(0)
        digest = hashlib.sha256()
        parts_at_once = max(1, PutPolicy.in_flight_bytes // self._part_bytes)
        sent: list[Future[dict[str, Any]]] = []
        with ThreadPoolExecutor(parts_at_once, "part") as pool:
            under_way: set[Future[dict[str, Any]]] = set()
            while body := file.read(self._part_bytes):
                digest.update(body)
                under_way = _wait_for_room(under_way, parts_at_once)
                future = pool.submit(self._send_part, len(sent) + 1, body, on_sent)
                sent.append(future)
                under_way.add(future)
            parts = [future.result() for future in sent]
        if digest.hexdigest() != self._digest:
            raise Terminal(
                f"{self._path}: the file changed while it was landed; put it again when it is done"
            )
        return parts

    def _send_part(self, number: int, body: bytes, on_sent: OnSent) -> dict[str, Any]:
        answer = aws.s3().upload_part(**self._object, UploadId=self._id, PartNumber=number, Body=body)
        on_sent(len(body))
        return {"PartNumber": number, "ETag": answer["ETag"]}


def _wait_for_room(under_way: set[Future[dict[str, Any]]], maximum: int) -> set[Future[dict[str, Any]]]:
    """Return the parts that are still under way once they are fewer than `maximum`; raise what one of them raised."""
    while len(under_way) >= maximum:
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
    return under_way


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
