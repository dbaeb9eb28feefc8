"""A request's body as API Gateway reads it: whole, by its length or in chunks, as telephones send it.

https://www.rfc-editor.org/rfc/rfc9112#section-7.1
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from lakehouse.local.policy import HttpPolicy

if TYPE_CHECKING:
    from email.message import Message

_LINE_BYTES: Final = 1_024  # of a chunk's size with its extensions, or of a field behind the last one
_FIELDS: Final = 32  # behind the last chunk
_SIZE_DIGITS: Final = 16  # hexadecimal ones, of 64 bits
_LENGTH_DIGITS: Final = 20  # decimal ones; zeros in front are nobody's
_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")


class Stream(Protocol):
    """What a connection brings: less than was asked for at its end alone."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Return the next line with its end, or as much of it."""
        ...


class NoBody(Exception):  # noqa: N818 - an answer, not an error of ours
    """A body that cannot be taken: the status that says why; the connection is of no use any more."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def read_body(file: Stream, headers: Message, most: int) -> bytes:
    """Return the body that follows a request's headers, of `most` bytes at most. Raises NoBody, EOFError.

    Of what is too long as much is read as `HttpPolicy.discarded_bytes` says: a client reads the answer only when it has
    sent all. EOFError: the sender left before it had.
    """
    coding, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
    if coding is not None:
        if (
            length is not None
        ):  # two lengths: whoever stands between us and the sender may have read the other one
            raise NoBody(HTTPStatus.BAD_REQUEST)
        if coding.strip().lower() != "chunked":
            raise NoBody(HTTPStatus.LENGTH_REQUIRED)
        return _read_chunks(file, most)
    digits = "0" if length is None else length.strip()
    if not digits.isdecimal():
        raise NoBody(HTTPStatus.LENGTH_REQUIRED)
    size = int(digits[:_LENGTH_DIGITS])  # what has more is too large with these, too
    if size > most:
        _discard(file, min(size, HttpPolicy.discarded_bytes))
        raise NoBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return _read(file, size)


def _read(file: Stream, size: int) -> bytes:
    body = file.read(size)
    if len(body) < size:
        raise EOFError
    return body


def _discard(file: Stream, size: int) -> None:
    step = HttpPolicy.discard_chunk_bytes
    for _ in range(size // step):
        file.read(step)


def _read_chunks(file: Stream, most: int) -> bytes:
    parts: list[bytes] = []
    total = 0
    while (size := _chunk_size(file)) > 0:
        total += size
        if total > HttpPolicy.discarded_bytes:
            raise NoBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if total > most:
            parts.clear()
            _discard(file, size)
            _read(file, size % HttpPolicy.discard_chunk_bytes)
        else:
            parts.append(_read(file, size))
        if _read(file, 2) != b"\r\n":
            raise NoBody(HTTPStatus.BAD_REQUEST)
    for _ in range(_FIELDS):
        if not _line(file):
            break
    else:
        raise NoBody(HTTPStatus.BAD_REQUEST)
    if total > most:
        raise NoBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return b"".join(parts)


def _chunk_size(file: Stream) -> int:
    digits = _line(file).partition(b";")[0].strip(b" \t")
    if not 0 < len(digits) <= _SIZE_DIGITS or not _DIGITS.issuperset(digits):
        raise NoBody(HTTPStatus.BAD_REQUEST)
    return int(digits, 16)


def _line(file: Stream) -> bytes:
    """Return a line without its end."""
    line = file.readline(_LINE_BYTES)
    if not line:
        raise EOFError
    if not line.endswith(b"\r\n"):
        raise NoBody(HTTPStatus.BAD_REQUEST)
    return line[:-2]
