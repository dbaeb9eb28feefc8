"""Takes a raw file out of what it is packed in: gzip, zstd, zip, or nothing, told by its bytes and not by its name.

Every byte that comes out is verified: a container that breaks off, or whose checksum is wrong, raises BadFile, if
need be after what came before the damage was handed on. So nobody may count rows before the last chunk has come.
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backports import zstd
from isal import igzip

from lakehouse.errors import BadFile
from lakehouse.landing import zips

_CHUNK = 1 << 20
_HEAD = 512
_SLICE = 1 << 16  # of zstd: what follows a frame within it is copied once a frame
_LEAST_FRAME = 256
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_SKIPPABLE = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_UNKNOWN = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!\x1a\x07": "RAR"}


@dataclass(frozen=True)
class Limits:
    """How much one raw file may become: bytes, bytes out of each byte in, members of a zip."""

    total: int = 64 << 30
    ratio: int = 300  # genuine logs reach 100, a bomb of gzip 1,000
    free: int = 64 << 20  # the ratio counts from here on
    members: int = 10_000


DEFAULT = Limits()


@dataclass(frozen=True)
class Member:
    """One file of data. `name`: as the zip calls it, to be shown only; `chunks`: its bytes, about 1 MiB a chunk."""

    name: str | None
    chunks: Iterator[bytes]


def members(chunks: Iterator[bytes], scratch: Path, limits: Limits = DEFAULT) -> Iterator[Member]:
    """Yield what a raw file holds, in order; each member is read to its end before the next, and within the loop.

    A workbook (.xlsx) and Parquet come out as they are. A zip is spooled to a nameless file in `scratch`.
    Raises BadFile: empty_file, truncated_gzip, truncated_zstd, truncated_zip, bad_zip, encrypted_zip, bomb,
    nested_archive, unsupported_archive.
    """
    count = _Count(limits)
    head, whole = _peek(count.came(chunks))
    kind = _container(head)
    if kind in ("gzip", "zstd"):
        inflate = _from_gzip if kind == "gzip" else _from_zstd
        head, plain = _peek(count.went(inflate(whole, count)))
        if not head:
            raise BadFile("empty_file", "the file has no bytes once decompressed")
        yield from _one(None, head, plain, scratch, limits)
    elif kind == "zip":
        yield from _from_zip(whole, scratch, count)
    elif not head:
        raise BadFile("empty_file", "the file has no bytes")
    else:
        yield Member(None, whole)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, 512 where there are so many, and all chunks again."""
    taken: list[bytes] = []
    size = 0
    while size < _HEAD and (chunk := next(chunks, None)) is not None:
        taken.append(chunk)
        size += len(chunk)
    head = b"".join(chunk[:_HEAD] for chunk in taken)[:_HEAD]
    return head, itertools.chain((chunk for chunk in taken if chunk), chunks)


def _container(head: bytes) -> str:
    """Return gzip, zstd, zip, or nothing for bytes to be taken as they are."""
    if head.startswith(_GZIP) or head == _GZIP[:1]:
        return "gzip"
    if head.startswith((_ZSTD, *_SKIPPABLE)) or (len(head) > 1 and _ZSTD.startswith(head)):
        return "zstd"
    if head.startswith((_ZIP, _EMPTY_ZIP)) or head == _ZIP[:3]:
        return "zip"
    name = next((name for magic, name in _UNKNOWN.items() if head.startswith(magic)), None)
    if name == "bzip2" and head[4:10] != b"1AY&SY":
        name = None
    if head[257:262] == b"ustar":
        name = "tar"
    if name:
        raise BadFile("unsupported_archive", f"the file is packed by {name}; send it as gzip, zstd or zip")
    return ""


def _one(
    name: str | None, head: bytes, chunks: Iterator[bytes], scratch: Path, limits: Limits
) -> Iterator[Member]:
    """Yield what was packed once; packed twice is refused, but a workbook is a zip of its own."""
    try:
        kind = _container(head)
    except BadFile as error:
        raise BadFile("nested_archive", "an archive within an archive; send what is inside") from error
    if not kind:
        yield Member(name, chunks)
        return
    if kind == "zip":
        with zips.spooled(chunks, scratch) as file:
            if zips.is_workbook(zips.entries(file, limits.members)):
                yield Member(name, zips.read(file))
                return
    raise BadFile("nested_archive", "an archive within an archive; send what is inside")


def _from_zip(chunks: Iterator[bytes], scratch: Path, count: _Count) -> Iterator[Member]:
    with zips.spooled(chunks, scratch) as file:
        entries = zips.entries(file, count.limits.members)
        if zips.is_workbook(entries):
            yield Member(None, zips.read(file))
            return
        found = False
        for entry in entries:
            head, plain = _peek(count.went(zips.extract(file, entry)))
            if head:
                found = True
                yield from _one(entry.filename, head, plain, scratch, count.limits)
        if not found:
            raise BadFile("empty_file", "the zip holds no file with bytes in it")


class _Count:
    """What came in and what went out of one raw file, within its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._in = self._out = self._frames = 0

    def came(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Hand packed chunks on, counted."""
        for chunk in chunks:
            self._in += len(chunk)
            yield chunk

    def went(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Hand unpacked chunks on, counted; BadFile (bomb) where they are too many."""
        for chunk in chunks:
            self._out += len(chunk)
            if self._out > self.limits.total:
                size = self.limits.total >> 30
                raise BadFile("bomb", f"the file unpacks to more than {size} GiB; send it in parts")
            if self._out > self.limits.free and self._out > self.limits.ratio * self._in:
                raise BadFile("bomb", f"the file unpacks to more than {self.limits.ratio} times its size")
            yield chunk

    def frame(self) -> None:
        """Count a frame; many with next to nothing in them cost time alone."""
        self._frames += 1
        if self._frames > self.limits.members and self._frames * _LEAST_FRAME > self._out:
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


def _from_gzip(chunks: Iterator[bytes], _count: _Count) -> Iterator[bytes]:
    """Inflate all members of a gzip; zeros after the last are padding."""
    with igzip.open(_Stream(chunks), "rb") as file:  # type: ignore[no-untyped-call]
        while True:
            try:
                chunk = file.read(_CHUNK)
            except (EOFError, zips.INFLATE_ERROR, gzip.BadGzipFile) as error:
                raise BadFile("truncated_gzip", "the gzip breaks off or its checksum is wrong") from error
            if not chunk:
                return
            yield chunk


def _from_zstd(chunks: Iterator[bytes], count: _Count) -> Iterator[bytes]:
    """Decompress all frames of a zstd."""
    frame = zstd.ZstdDecompressor()
    begun = False
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            packed = chunk[start : start + _SLICE]
            while packed or not (frame.needs_input or frame.eof):
                if frame.eof:
                    count.frame()
                    frame = zstd.ZstdDecompressor()
                begun = True
                if plain := _decompressed(frame, packed):
                    yield plain
                packed = frame.unused_data if frame.eof else b""
    if begun and not frame.eof:
        raise BadFile("truncated_zstd", "the zstd breaks off")


def _decompressed(frame: zstd.ZstdDecompressor, packed: bytes) -> bytes:
    try:
        return frame.decompress(packed, _CHUNK)
    except zstd.ZstdError as error:
        if "too much memory" in str(error):
            reason = "the zstd needs a window of more than 128 MiB; compress it without --long or --ultra"
            raise BadFile("unsupported_archive", reason) from error
        raise BadFile("truncated_zstd", "the zstd is damaged or needs a dictionary") from error
