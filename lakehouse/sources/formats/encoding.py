"""Text in whatever encoding a sender chose, as UTF-8; text that is UTF-8 already passes as it is.

A byte that its encoding does not know stays as it was. In UTF-8 it is invalid, so the row that holds it, and no
other, is set aside later on; nothing is replaced by a question mark without a word.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from lakehouse.errors import BadDefinition, BadFile

_BOMS = (  # the longer first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_TEXT = frozenset(
    {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf-7", "utf7"}
)
_HEAD = 4096
_WINDOW = 1 << 16
_HIGH = re.compile(rb"[\x80-\xff]")
_CONTROLS = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))
_PRINTABLE = re.compile(rb"[\t\r\n -~]{3,}")
_GB = re.compile(
    rb"(?P<symbol>[\xa1-\xa3][\xa1-\xfe])"
    rb"|(?P<common>[\xb0-\xd7][\xa1-\xfe])"  # level 1 of GB 2312, in order of pinyin
    rb"|(?P<rare>[\xd8-\xf7][\xa1-\xfe])"  # level 2, in order of radicals
    rb"|(?P<other>[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9]))"
    rb"|(?P<broken>[\x80-\xff])"
)
_LATE = b"\xc9"  # where r ends and s begins
_DISTINCT = 20


def as_utf8(chunks: Iterator[bytes], encoding: str | None = None) -> Iterator[bytes]:
    """Yield the text as UTF-8 without byte order mark. `encoding`: as the source's definition states it, if it does.

    Without it: a byte order mark decides, then the pattern of NUL bytes (UTF-16), then the first 64 KiB from the
    first byte on that is not ASCII: UTF-8, or GB 18030 where they are clearly Chinese in it. Everything else passes
    as it is. Raises BadFile: not_text for binary files, broken_encoding where UTF-16 breaks off within a character;
    BadDefinition for an encoding nobody knows.
    """
    head, whole = _peek(chunks, _HEAD)
    mark, name = next(((mark, name) for mark, name in _BOMS if head.startswith(mark)), (b"", None))
    if name is None and encoding is not None:
        name = _known(encoding)
        if name in ("utf-16", "utf-32"):  # neither mark nor order: the order that Windows writes
            name = _utf16(head) or f"{name}-le"
    name = name or _utf16(head)
    if name in (None, "utf-8"):
        _refuse_binary(head)
    if name is None:
        yield from _utf8_or_chinese(whole)
    elif name == "utf-8":
        yield from _without(mark, whole)
    else:
        yield from _decoded(_without(mark, whole), name)


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode("" if name in _NO_TEXT else name)  # some codecs make no text of bytes
    except LookupError as error:
        raise BadDefinition(
            f"encoding: nobody knows {encoding}; try utf-8, utf-16, gb18030, cp1252"
        ) from error
    return {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": "utf-8", "ascii": "utf-8"}.get(name, name)


def _peek(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes, or as many as there are, and all chunks again."""
    taken: list[bytes] = []
    have = 0
    while have < size and (chunk := next(chunks, None)) is not None:
        taken.append(chunk)
        have += len(chunk)
    return b"".join(taken)[:size], itertools.chain((chunk for chunk in taken if chunk), chunks)


def _without(mark: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks without the first bytes."""
    left = len(mark)
    for chunk in chunks:
        if left:
            rest = chunk[left:]
            left -= len(chunk) - len(rest)
            if rest:
                yield rest
        elif chunk:
            yield chunk


def _utf16(head: bytes) -> str | None:
    """Return the order of UTF-16's bytes where NULs say that it is one; what separates cells and lines has them."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if (even + odd) * 100 <= len(head) or _is_bytewise(head, even + odd):
        return None
    found = []
    for name, nuls in (("utf-16-le", odd), ("utf-16-be", even)):
        try:
            text = codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        strange = sum(c not in "\t\r\n" and unicodedata.category(c) in {"Cc", "Cn", "Co"} for c in text)
        if strange * 50 <= len(text):
            found.append((sum(map(text.count, '\t\r\n,;|"')), nuls, name))
    return max(found)[2] if found else None


def _is_bytewise(head: bytes, nuls: int) -> bool:
    """Tell whether the head is text of another encoding, in which a sender writes NUL for something."""
    if sum(map(len, _PRINTABLE.findall(head))) * 2 > len(head) or _is_chinese(head.replace(b"\0", b"")):
        return True
    is_utf8 = "\ufffd" not in head.decode("utf-8", "replace").rstrip("\ufffd")
    return is_utf8 and nuls * 4 < len(head) and _controls(head) * 20 < len(head)


def _controls(head: bytes) -> int:
    return len(head) - len(head.translate(None, _CONTROLS))


def _refuse_binary(head: bytes) -> None:
    """Raise BadFile (not_text) where NULs are many, or control characters where the text is not UTF-8 either."""
    if head.count(0) * 100 > len(head):
        raise BadFile("not_text", "the file is full of NUL bytes: it is binary")
    if _controls(head) * 20 > len(head) and head.decode("utf-8", "replace").count("\ufffd") * 20 > len(head):
        raise BadFile("not_text", "the file is binary")


def _decoded(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield what an incremental decoder makes of the chunks, what it does not know as it was."""
    errors = "surrogatepass" if name.startswith("utf-") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(name)(errors)
    try:
        for chunk in chunks:
            if text := decoder.decode(chunk):
                yield text.encode("utf-8", errors)
        if text := decoder.decode(b"", final=True):
            yield text.encode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise BadFile("broken_encoding", f"the file breaks off within a character of {name}") from error


def _utf8_or_chinese(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass ASCII on until a byte is none; the window that begins there decides about all that follows."""
    for chunk in chunks:
        if chunk.isascii():
            if chunk:
                yield chunk
            continue
        found = _HIGH.search(chunk)
        start = found.start() if found else 0
        text, whole = _peek(itertools.chain((chunk,), chunks), start + _WINDOW)
        window = text[start:]
        if _is_utf8(window) or not _is_chinese(window):
            yield from whole
        else:
            yield from _decoded(whole, "gb18030")


def _is_utf8(window: bytes) -> bool:
    """Tell whether more characters are valid UTF-8 than are not: one broken byte makes no file Chinese."""
    text = window.decode("utf-8", "replace")
    broken = text.count("\ufffd") - window.count("\ufffd".encode())
    high = len(text) - len(text.encode("ascii", "ignore"))
    return high - broken >= broken


def _is_chinese(window: bytes) -> bool:
    """Tell whether the window is text in GB 18030; in doubt it is not, since wrong characters would pass unseen.

    Nearly all characters have both bytes in the region of GB 2312 (Latin-1, Big5 and Shift JIS do not), nearly none is
    broken (words of odd length break every single-byte encoding: KOI8-R, CP1251), most are of the common ones, and
    these are spread over the whole alphabet (Korean in EUC-KR ends where r does).
    """
    count: Counter[str] = Counter()
    common = set()
    for match in _GB.finditer(window):
        count[match.lastgroup or ""] += 1
        if match.lastgroup == "common":
            common.add(match[0])
    hanzi = count["common"] + count["rare"]
    characters = hanzi + count["symbol"] + count["other"]
    late = sum(character > _LATE for character in common)
    return (
        hanzi > 0
        and count["broken"] * 50 <= characters
        and count["other"] * 5 <= characters
        and count["rare"] * 3 <= hanzi
        and (len(common) < _DISTINCT or late * 20 >= len(common))
    )
