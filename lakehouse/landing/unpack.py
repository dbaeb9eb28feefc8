"""Takes a raw file out of what it is packed in: gzip, zstd, zip, or nothing, by its bytes and not by its name.

Every byte that comes out is verified: a container that breaks off, or whose checksum is wrong, raises BadFile, if
need be after what came before the damage was handed on. So no rows may be counted before the last chunk has come.
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from backports import zstd
from isal import igzip

from lakehouse.errors import BadFile
from lakehouse.landing import zips
from lakehouse.landing.policy import ReadPolicy, UnpackLimits

_HEAD: Final = 512  # bytes that tell a container: tar's signature ends at 262
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_SKIPPABLE_FRAMES = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_UNSUPPORTED = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!\x1a\x07": "RAR"}
_BZIP2_BLOCK = b"1AY&SY"
DEFAULT_LIMITS = UnpackLimits()
_NESTED = "an archive within an archive; send what is inside"


@dataclass(frozen=True)
class _Container:
    """A container that is unpacked here.

    A file that breaks off within its signature is taken for one from `least` bytes on; fewer may begin a text.
    """

    name: str
    signatures: tuple[bytes, ...]
    least: int

    def matches(self, head: bytes) -> bool:
        """Return whether a file with this head is such a container."""
        breaks_off = len(head) >= self.least and self.signatures[0].startswith(head)
        return breaks_off or head.startswith(self.signatures)


_CONTAINERS = (
    _Container("gzip", (_GZIP,), least=1),
    _Container("zstd", (_ZSTD, *_SKIPPABLE_FRAMES), least=2),
    _Container("zip", (_ZIP, _EMPTY_ZIP), least=3),
)


# What is wrong with one file of a zip, and says nothing against the others.
_OF_ONE_MEMBER = frozenset({"encrypted_zip", "unsupported_archive", "nested_archive"})


@dataclass(frozen=True)
class Member:
    """One file of data. `name`: as the zip calls it, to be shown only; `chunks`: its bytes, about 1 MiB a chunk.

    `siblings`: how many other files the zip holds. `refused`: why there are no chunks, of a file with siblings.
    `is_desktop_file`: nobody meant to send it, so it is left out.
    """

    name: str | None
    chunks: Iterator[bytes]
    siblings: int = 0
    refused: BadFile | None = None
    is_desktop_file: bool = False


def members(
    chunks: Iterator[bytes], scratch: Path, limits: UnpackLimits = DEFAULT_LIMITS
) -> Iterator[Member]:
    """Yield what a raw file holds, in order; each member is read to its end before the next, and within the loop.

    A workbook (.xlsx) and Parquet come out as they are. A zip is spooled to a nameless file in `scratch`; a file beside
    others in it that is encrypted, an archive, or empty costs only itself.
    Raises BadFile: empty_file, truncated_gzip, truncated_zstd, truncated_zip, bad_zip, encrypted_zip, bomb,
    nested_archive, unsupported_archive.
    """
    meter = _Meter(limits)
    head, packed = _peek(meter.count_packed(chunks))
    container = container_of(head)
    if container == "zip":
        yield from _from_zip(packed, scratch, meter)
    elif container:
        inflate = _from_gzip if container == "gzip" else _from_zstd
        head, plain = _peek(meter.count_unpacked(inflate(packed, meter)))
        if not head:
            raise BadFile("empty_file", "the file has no bytes once decompressed")
        yield from _member(None, head, plain, scratch, limits)
    elif not head:
        raise BadFile("empty_file", "the file has no bytes")
    else:
        yield Member(None, packed)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, 512 where there are so many, and all chunks again."""
    taken: list[bytes] = []
    size = 0
    while size < _HEAD and (chunk := next(chunks, None)) is not None:
        taken.append(chunk)
        size += len(chunk)
    head = b"".join(chunk[:_HEAD] for chunk in taken)[:_HEAD]
    return head, itertools.chain((chunk for chunk in taken if chunk), chunks)


def container_of(head: bytes) -> str:
    """Return what a file with this head is packed in: gzip, zstd, zip, or nothing for bytes to be taken as they are.

    Raises BadFile (unsupported_archive) for other archives.
    """
    for container in _CONTAINERS:
        if container.matches(head):
            return container.name
    name = _unsupported_archive(head)
    if name:
        raise BadFile("unsupported_archive", f"the file is packed by {name}; send it as gzip, zstd or zip")
    return ""


def _unsupported_archive(head: bytes) -> str:
    """Return what packed an archive that is not unpacked here; empty for what is none."""
    if head[257:262] == b"ustar":
        return "tar"
    name = next((name for signature, name in _UNSUPPORTED.items() if head.startswith(signature)), "")
    if name == "bzip2" and head[4:10] != _BZIP2_BLOCK:  # BZh begins texts, too
        return ""
    return name


def _member(
    name: str | None,
    head: bytes,
    chunks: Iterator[bytes],
    scratch: Path,
    limits: UnpackLimits,
    siblings: int = 0,
) -> Iterator[Member]:
    """Yield what was packed once; packed twice is refused, but a workbook is a zip of its own."""
    try:
        container = container_of(head)
    except BadFile as error:
        raise BadFile("nested_archive", _NESTED) from error
    if not container:
        yield Member(name, chunks, siblings)
        return
    if container == "zip":
        with zips.spooled(chunks, scratch) as file:
            if zips.is_workbook(zips.entries(file, limits.members)):
                yield Member(name, zips.read(file), siblings)
                return
    raise BadFile("nested_archive", _NESTED)


def _from_zip(chunks: Iterator[bytes], scratch: Path, meter: _Meter) -> Iterator[Member]:
    with zips.spooled(chunks, scratch) as file:
        entries = zips.entries(file, meter.limits.members)
        if zips.is_workbook(entries):
            yield Member(None, zips.read(file))
            return
        sent = [entry for entry in entries if not zips.is_desktop_file(entry)]
        if not any(entry.file_size for entry in sent):
            raise BadFile("empty_file", "the zip holds no file with bytes in it")
        for entry in entries:
            if zips.is_desktop_file(entry):
                yield Member(entry.filename, iter(()), is_desktop_file=True)
            else:
                yield from _zip_member(file, entry, len(sent) - 1, scratch, meter)


def _zip_member(
    file: BinaryIO, entry: zips.Entry, siblings: int, scratch: Path, meter: _Meter
) -> Iterator[Member]:
    """Yield a file of a zip; where it has siblings, what is wrong with it alone is told by it."""
    try:
        head, plain = _peek(meter.count_unpacked(zips.extract(file, entry)))
        if head:
            yield from _member(entry.filename, head, plain, scratch, meter.limits, siblings)
        else:
            yield Member(entry.filename, iter(()), siblings, BadFile("empty_file", "it has no bytes"))
    except BadFile as error:
        if not siblings or error.code not in _OF_ONE_MEMBER:
            raise
        yield Member(entry.filename, iter(()), siblings, error)


class _Meter:
    """Counts what comes in and what goes out of one raw file, and keeps it within its limits."""

    def __init__(self, limits: UnpackLimits) -> None:
        self.limits = limits
        self._packed = self._unpacked = self._frames = 0

    def count_packed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Hand packed chunks on, counted."""
        for chunk in chunks:
            self._packed += len(chunk)
            yield chunk

    def count_unpacked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Hand unpacked chunks on, counted; BadFile (bomb) where they are too many."""
        limits = self.limits
        for chunk in chunks:
            self._unpacked += len(chunk)
            if self._unpacked > limits.total_bytes:
                size = limits.total_bytes >> 30
                raise BadFile("bomb", f"the file unpacks to more than {size} GiB; send it in parts")
            if self._unpacked > max(limits.ratio_from_bytes, limits.ratio * self._packed):
                raise BadFile("bomb", f"the file unpacks to more than {limits.ratio} times its size")
            yield chunk

    def count_frame(self) -> None:
        """Count a frame of a zstd; BadFile (bomb) for many with next to nothing in them, which only cost time."""
        self._frames += 1
        are_many = self._frames > self.limits.members
        if are_many and self._frames * self.limits.least_frame_bytes > self._unpacked:
            raise BadFile("bomb", f"the file holds {self._frames:,} frames with next to nothing in them")


class _Stream:
    """The chunks as a file that can be read from the start to the end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readinto(self, into: memoryview) -> int:
        """Fill `into` as far as the chunk at hand does; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(into), len(self._rest))
        into[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        into = bytearray(size)
        return bytes(into[: self.readinto(memoryview(into))])


def _from_gzip(chunks: Iterator[bytes], _: _Meter) -> Iterator[bytes]:
    """Inflate all members of a gzip; zeros after the last are padding."""
    with igzip.open(_Stream(chunks), "rb") as file:  # type: ignore[no-untyped-call]
        while True:
            try:
                chunk = file.read(ReadPolicy.chunk_bytes)
            except (EOFError, zips.INFLATE_ERROR, gzip.BadGzipFile) as error:
                raise BadFile("truncated_gzip", "the gzip breaks off or its checksum is wrong") from error
            if not chunk:
                return
            yield chunk


def _from_zstd(chunks: Iterator[bytes], meter: _Meter) -> Iterator[bytes]:
    """Decompress all frames of a zstd."""
    frame = zstd.ZstdDecompressor()
    has_begun = False
    for packed in _sliced(chunks, ReadPolicy.zstd_slice_bytes):
        rest = packed
        while rest or not (frame.needs_input or frame.eof):
            if frame.eof:
                meter.count_frame()
                frame = zstd.ZstdDecompressor()
            has_begun = True
            if plain := _decompressed(frame, rest):
                yield plain
            rest = frame.unused_data if frame.eof else b""
    if has_begun and not frame.eof:
        raise BadFile("truncated_zstd", "the zstd breaks off")


def _sliced(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in pieces of at most `size`."""
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]


def _decompressed(frame: zstd.ZstdDecompressor, packed: bytes) -> bytes:
    try:
        return frame.decompress(packed, ReadPolicy.chunk_bytes)
    except zstd.ZstdError as error:
        if "too much memory" in str(error):
            reason = "the zstd needs a window of more than 128 MiB; compress it without --long or --ultra"
            raise BadFile("unsupported_archive", reason) from error
        raise BadFile("truncated_zstd", "the zstd is damaged or needs a dictionary") from error
