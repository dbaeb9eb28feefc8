"""A zip on scratch disk: its directory within limits, and its members inflated and verified.

The standard library reads the directory; the bytes are inflated by ISA-L, which takes less than half the time.
"""

from __future__ import annotations

import errno
import io
import re
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from isal import isal_zlib
from isal.igzip_lib import IsalError

from lakehouse.errors import BadFile
from lakehouse.landing.policy import ReadPolicy, UnpackLimits

Entry = zipfile.ZipInfo
INFLATE_ERROR: type[Exception] = IsalError  # type: ignore[assignment] # the stub names it as a value
_ENCRYPTED: Final = 0x1  # of a member's flags, as the zip format numbers them
_UTF8_NAME: Final = 0x800
_UTF8 = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*"
)
_GB2312 = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")
# Of names that are not said to be UTF-8: Macs write it all the same.
_NAME_ENCODINGS = {"utf-8": _UTF8.fullmatch, "gb18030": _GB2312.fullmatch}
_END_OF_DIRECTORY = b"PK\x05\x06"
_END_BYTES: Final = (1 << 16) + 22  # of the record at the end, with the longest comment there may be
_LOCAL = struct.Struct("<4s22xHH")  # signature, length of the name, length of the extra field
_RAW_DEFLATE: Final = -15  # zlib's word for a window of 32 KiB, without a header
_SIGNATURE = b"PK\x03\x04"
_DESKTOP_FILES = {
    ".ds_store",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    ".directory",
    "icon\r",
    ".localized",
}
_DESKTOP_PREFIXES = ("._", "~$", ".~lock.")  # a Mac's second half of a file, an office's lock of an open one
_DAMAGED = "the zip is damaged; none of its files counts"


@contextmanager
def spooled(chunks: Iterator[bytes], scratch: Path) -> Iterator[BinaryIO]:
    """Give a nameless file in `scratch` with these bytes; it is gone at the end."""
    with tempfile.TemporaryFile(dir=scratch) as file:
        for chunk in chunks:
            file.write(chunk)
        yield cast("BinaryIO", file)


def read(file: BinaryIO) -> Iterator[bytes]:
    """Yield the file's bytes from its start."""
    file.seek(0)
    while chunk := file.read(ReadPolicy.chunk_bytes):
        yield chunk


def entries(file: BinaryIO, maximum: int) -> list[zipfile.ZipInfo]:
    """Return the zip's files in order of its directory, without folders; `maximum` with those.

    Their names are as whoever packed them saw them, with `/` between folders.
    Raises BadFile: truncated_zip where the directory at the end is missing, bad_zip, bomb.
    """
    try:
        with zipfile.ZipFile(cast("BinaryIO", _Bounded(file))) as archive:
            listed = archive.infolist()
    except zipfile.BadZipFile as error:
        code = "bad_zip" if _has_directory(file) else "truncated_zip"
        raise BadFile(code, "the zip breaks off or its directory is damaged") from error
    except (NotImplementedError, ValueError, OverflowError, struct.error, EOFError) as error:
        raise BadFile("bad_zip", _DAMAGED) from error
    except OSError as error:
        if (
            error.errno != errno.EINVAL
        ):  # an offset before the start; errors of the disk itself are no bad file
            raise
        raise BadFile("bad_zip", _DAMAGED) from error
    if len(listed) > maximum:
        raise BadFile("bomb", f"the zip holds more than {maximum:,} files; send it in parts")
    if listed and min(entry.header_offset for entry in listed) != 0:
        raise BadFile("bad_zip", "the zip does not begin where its directory says")
    return _named_files(listed)


def _named_files(listed: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the entries that are no folders, each with the name that whoever packed it saw."""
    for entry in listed:
        entry.filename = _name(entry)
    return [entry for entry in listed if not entry.is_dir()]


def _name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name. Windows packs in its own encoding, in Chinese that of GB 2312, some with backslashes."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME and not name.isascii():
        raw = name.encode("cp437")  # as which the library has read it
        encoding = next((each for each, is_so in _NAME_ENCODINGS.items() if is_so(raw)), "cp437")
        name = raw.decode(encoding, "replace")
    return name.replace("\\", "/")


def is_workbook(listed: list[zipfile.ZipInfo]) -> bool:
    """Return whether the zip is an .xlsx; BadFile (unsupported_archive) for other documents that are zips."""
    names = {entry.filename for entry in listed}
    is_office = "[Content_Types].xml" in names
    if is_office and any(name.startswith("xl/") for name in names):
        return True
    if is_office or {"mimetype", "content.xml"} <= names:
        raise BadFile("unsupported_archive", "a document, but no .xlsx; save it as .xlsx or CSV")
    return False


def extract(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes; length and checksum are verified with the last of them.

    Raises BadFile: encrypted_zip, unsupported_archive (packed in another way than deflate), bad_zip.
    """
    if entry.flag_bits & _ENCRYPTED:
        raise BadFile("encrypted_zip", "the zip is encrypted; send it without a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadFile("unsupported_archive", "the zip is not packed by deflate; pack it again")
    crc = size = 0
    stored = _stored(file, entry)
    plain = stored if entry.compress_type == zipfile.ZIP_STORED else _inflated(stored)
    for chunk in plain:
        size += len(chunk)
        if size > entry.file_size:
            break
        crc = isal_zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.file_size or crc != entry.CRC:
        raise BadFile("bad_zip", "a file in the zip is not as long as it should be, or its checksum is wrong")


def _stored(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes as they stand in the zip."""
    file.seek(entry.header_offset)
    local = file.read(_LOCAL.size)
    if len(local) < _LOCAL.size or not local.startswith(_SIGNATURE):
        raise BadFile("bad_zip", _DAMAGED)
    _, name_bytes, extra_bytes = _LOCAL.unpack(local)
    position = entry.header_offset + _LOCAL.size + name_bytes + extra_bytes
    end = position + entry.compress_size
    while position < end:
        file.seek(position)  # each time: others may read from the file between two chunks
        chunk = file.read(min(end - position, ReadPolicy.zip_slice_bytes))
        if not chunk:
            raise BadFile("bad_zip", _DAMAGED)
        yield chunk
        position += len(chunk)


def _inflated(stored: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the inflated bytes of a stream of deflate; BadFile (bad_zip) where it is damaged or breaks off."""
    stream = isal_zlib.decompressobj(_RAW_DEFLATE)
    try:
        for chunk in stored:
            rest = chunk
            while rest and not stream.eof:
                plain = stream.decompress(rest, ReadPolicy.chunk_bytes)
                rest = stream.unconsumed_tail
                if plain:
                    yield plain
        if not stream.eof:
            yield stream.flush()
    except INFLATE_ERROR as error:
        raise BadFile("bad_zip", _DAMAGED) from error
    if not stream.eof:
        raise BadFile("bad_zip", _DAMAGED)


def is_desktop_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a file that only a desktop uses, which nobody meant to send."""
    path = entry.filename.split("/")
    name = path[-1].lower()
    return "__MACOSX" in path or name in _DESKTOP_FILES or name.startswith(_DESKTOP_PREFIXES)


def _has_directory(file: BinaryIO) -> bool:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_BYTES))
    return _END_OF_DIRECTORY in file.read()


class _Bounded(io.BufferedIOBase):
    """A file that gives no more bytes at once than a directory may have."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(position, whence)

    def read(self, size: int | None = -1) -> bytes:
        maximum = UnpackLimits.zip_directory_bytes
        is_all = size is None or size < 0
        chunk = self._file.read(maximum + 1 if is_all else min(cast("int", size), maximum + 1))
        if len(chunk) > maximum:
            raise BadFile("bomb", f"the zip's directory is larger than {maximum >> 20} MiB")
        return chunk
