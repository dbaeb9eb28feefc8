"""Text in whatever encoding a sender chose, as UTF-8; text that is UTF-8 already passes as it is.

A byte that its encoding does not know stays as it was. In UTF-8 it is invalid, so the row that holds it, and no
other, is set aside later on; nothing is silently replaced by a question mark.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.errors import BadDefinition, BadFile
from lakehouse.sources.formats.byte_stream import peek, without_first
from lakehouse.sources.formats.policy import EncodingPolicy

_BYTE_ORDER_MARKS = (  # the longer first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_REFUSED_CODECS = frozenset(
    {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf-7", "utf7"}
)
_SUPERSETS = {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": "utf-8", "ascii": "utf-8"}
_REPLACEMENT = "\ufffd"  # what decoding puts in place of bytes that are no character
_SEPARATORS = '\t\r\n,;|"'
_STRANGE_CATEGORIES = {"Cc", "Cn", "Co"}  # of Unicode: control characters, unassigned ones, private use
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_CONTROLS = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))
_PRINTABLE_ASCII = re.compile(rb"[\t\r\n -~]{3,}")
_GB18030 = re.compile(
    rb"(?P<symbol>[\xa1-\xa3][\xa1-\xfe])"
    rb"|(?P<common>[\xb0-\xd7][\xa1-\xfe])"  # level 1 of GB 2312, in order of pinyin
    rb"|(?P<rare>[\xd8-\xf7][\xa1-\xfe])"  # level 2, in order of radicals
    rb"|(?P<other>[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9]))"
    rb"|(?P<broken>[\x80-\xff])"
)
_FIRST_LATE = b"\xc9"  # where in the alphabet of GB 2312 r ends and s begins


def as_utf8(chunks: Iterator[bytes], encoding: str | None = None) -> Iterator[bytes]:
    """Yield the text as UTF-8 without byte order mark. `encoding`: as the source's definition states it, if it does.

    Without it: a byte order mark decides, then the pattern of NUL bytes (UTF-16), then the first 64 KiB from the
    first byte on that is not ASCII: UTF-8, or GB 18030 where they are clearly Chinese in it. Everything else passes
    as it is. Raises BadFile: not_text for binary files, broken_encoding where UTF-16 breaks off within a character;
    BadDefinition for an encoding nobody knows.
    """
    head, text = peek(chunks, EncodingPolicy.head_bytes)
    mark, marked_encoding = _byte_order_mark(head)
    name = marked_encoding or _stated_encoding(encoding, head) or _utf16_order(head)
    if name in (None, "utf-8"):
        _refuse_binary(head)
    if name is None:
        yield from _utf8_or_chinese(text)
    elif name == "utf-8":
        yield from without_first(len(mark), text)
    else:
        yield from _decode(without_first(len(mark), text), name)


def _byte_order_mark(head: bytes) -> tuple[bytes, str | None]:
    """Return the mark that the text begins with, and the encoding that it stands for; empty and None without one."""
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return mark, name
    return b"", None


def _stated_encoding(encoding: str | None, head: bytes) -> str | None:
    """Return the codec that a definition means, None where it states none; BadDefinition for one nobody knows."""
    if encoding is None:
        return None
    name = _codec_name(encoding)
    if name in ("utf-16", "utf-32"):  # neither mark nor order: the order that Windows writes
        return _utf16_order(head) or f"{name}-le"
    return name


def _codec_name(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode("" if name in _REFUSED_CODECS else name)  # some codecs make no text of bytes
    except LookupError as error:
        raise BadDefinition(
            f"encoding: nobody knows {encoding}; try utf-8, utf-16, gb18030, cp1252"
        ) from error
    return _SUPERSETS.get(name, name)


def _utf16_order(head: bytes) -> str | None:
    """Return the order of UTF-16's bytes, None for other text: delimiters, digits and line ends have NULs in it."""
    even_nuls, odd_nuls = head[::2].count(0), head[1::2].count(0)
    nuls = even_nuls + odd_nuls
    if nuls * EncodingPolicy.nul_one_in <= len(head) or _is_bytewise(head, nuls):
        return None
    candidates = []
    for name, expected_nuls in (("utf-16-le", odd_nuls), ("utf-16-be", even_nuls)):
        text = _plausible_text(head, name)
        if text is not None:
            separators = sum(map(text.count, _SEPARATORS))
            candidates.append((separators, expected_nuls, name))
    return max(candidates)[2] if candidates else None


def _plausible_text(head: bytes, name: str) -> str | None:
    """Return what the head says in an encoding; None where it breaks it, or holds what no text holds."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return None
    strange = sum(
        unicodedata.category(character) in _STRANGE_CATEGORIES
        for character in text
        if character not in "\t\r\n"
    )
    return text if strange * EncodingPolicy.utf16_strange_one_in <= len(text) else None


def _is_bytewise(head: bytes, nuls: int) -> bool:
    """Tell whether the head is text of another encoding, in which a sender writes NUL for something."""
    printable = sum(map(len, _PRINTABLE_ASCII.findall(head)))
    if printable * 2 > len(head) or _is_chinese(head.replace(b"\0", b"")):
        return True
    text = head.decode("utf-8", "replace")
    is_utf8 = _REPLACEMENT not in text.rstrip(_REPLACEMENT)  # the head may end within a character
    has_few_nuls = nuls * EncodingPolicy.nul_in_utf8_one_in < len(head)
    has_few_controls = _controls(head) * EncodingPolicy.control_one_in < len(head)
    return is_utf8 and has_few_nuls and has_few_controls


def _controls(head: bytes) -> int:
    return len(head) - len(head.translate(None, _CONTROLS))


def _refuse_binary(head: bytes) -> None:
    """Raise BadFile (not_text) where NULs are many, or control characters where the text is not UTF-8 either."""
    if head.count(0) * EncodingPolicy.nul_one_in > len(head):
        raise BadFile("not_text", "the file is full of NUL bytes: it is binary")
    has_many_controls = _controls(head) * EncodingPolicy.control_one_in > len(head)
    if not has_many_controls:
        return
    replaced = head.decode("utf-8", "replace").count(_REPLACEMENT)
    if replaced * EncodingPolicy.control_one_in > len(head):
        raise BadFile("not_text", "the file is binary")


def _decode(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
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
        first_high = _NOT_ASCII.search(chunk)
        start = first_high.start() if first_high else 0
        head, rest = peek(itertools.chain((chunk,), chunks), start + EncodingPolicy.window_bytes)
        window = head[start:]
        if _is_utf8(window) or not _is_chinese(window):
            yield from rest
        else:
            yield from _decode(rest, "gb18030")


def _is_utf8(window: bytes) -> bool:
    """Tell whether more characters are valid UTF-8 than are not: one broken byte makes no file Chinese."""
    text = window.decode("utf-8", "replace")
    broken = text.count(_REPLACEMENT) - window.count(_REPLACEMENT.encode())
    not_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return not_ascii - broken >= broken


@dataclass
class _ChineseCensus:
    """How many characters of each region of GB 18030 a text has, and which common ones."""

    symbol: int = 0
    common: int = 0
    rare: int = 0
    other: int = 0
    broken: int = 0
    different_common: frozenset[bytes] = frozenset()

    @property
    def hanzi(self) -> int:
        """Return the characters within the two levels of GB 2312."""
        return self.common + self.rare

    @property
    def characters(self) -> int:
        """Return the characters that are not broken."""
        return self.hanzi + self.symbol + self.other

    @property
    def is_spread_over_alphabet(self) -> bool:
        """Tell whether common characters are from late in the alphabet too; of few of them nobody can tell."""
        different = len(self.different_common)
        late = sum(character > _FIRST_LATE for character in self.different_common)
        has_late_ones = late * EncodingPolicy.chinese_late_one_in >= different
        return different < EncodingPolicy.chinese_varied_from or has_late_ones


def _is_chinese(window: bytes) -> bool:
    """Tell whether the window is text in GB 18030; in doubt it is not, since wrong characters would pass unseen.

    Nearly all characters have both bytes in the region of GB 2312 (Latin-1, Big5 and Shift JIS do not), nearly none is
    broken (words of odd length break every single-byte encoding: KOI8-R, CP1251), most are of the common ones, and
    these are spread over the whole alphabet (Korean in EUC-KR ends where r does).
    """
    census = _chinese_census(window)
    return (
        census.hanzi > 0
        and census.broken * EncodingPolicy.chinese_broken_one_in <= census.characters
        and census.other * EncodingPolicy.chinese_other_one_in <= census.characters
        and census.rare * EncodingPolicy.chinese_rare_one_in <= census.hanzi
        and census.is_spread_over_alphabet
    )


def _chinese_census(window: bytes) -> _ChineseCensus:
    counts = dict.fromkeys(_GB18030.groupindex, 0)
    different_common = set()
    for match in _GB18030.finditer(window):
        region = match.lastgroup or "broken"
        counts[region] += 1
        if region == "common":
            different_common.add(match[0])
    return _ChineseCensus(**counts, different_common=frozenset(different_common))
