"""Text in whatever encoding a sender chose, as UTF-8; text that is UTF-8 already passes as it is.

A byte that its encoding does not know stays as it was. In UTF-8 it is invalid, so the row that holds it, and no
other, is set aside later on; nothing is silently replaced by a question mark. Where too little speaks for any encoding
the file waits until its source's definition says which one it is: a wrong guess would load wrong names, and nobody
would be told.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from lakehouse.errors import BadDefinition, BadFile
from lakehouse.sources.formats.byte_stream import peek, without_first
from lakehouse.sources.formats.chinese import encoding_by_names, is_chinese, may_be_chinese
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
_ESCAPE = b"\x1b"
# Shifts from ASCII to Japanese, Korean or Chinese in seven bits (ISO 2022); an escape and a dollar may be a note's, too
_ISO_2022 = re.compile(rb"\x1b\$(?:[@AB]|[()*+][0-9@A-Z])")
_IN_SEVEN_BITS = ("iso2022", "hz")  # encodings
_CONTROLS = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))
_PRINTABLE_ASCII = re.compile(rb"[\t\r\n -~]{3,}")
# Within a word of Latin letters: a letter beyond ASCII of UTF-8, or of an encoding that has one byte for it.
_UTF8_IN_WORD = re.compile(rb"[A-Za-z][\xc2-\xdf][\x80-\xbf][a-z]")
# The same with all letters alike: a byte of another encoding within a word.
_CLASSES = bytes(
    ord("A" if chr(byte).isupper() else "a" if chr(byte).islower() else ".")
    if byte in range(0x80)
    else ord("h")
    for byte in range(0x100)
)
_BYTE_IN_WORD = (b"aha", b"Aha")
_LINE_OF_UTF8 = re.compile(  # that is not ASCII, behind a line's end: a literal is what is found fastest
    rb"\n[\x00-\x09\x0b-\x7f]*+"
    rb"(?:(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})[\x00-\x09\x0b-\x7f]*+)++"
    rb"(?=\n|\Z)"
)
# What is no UTF-8 beside a letter, or beside anything beyond ASCII: a mark alone may be the half of one by chance.
_BROKEN_IN_WORD = re.compile(r"(?:[^\W\d_]|[^\x00-\x7f])\ufffd|\ufffd(?:[^\W\d_]|[^\x00-\x7f])")
# SPÓŁKA of cp1250 is UTF-8 by chance, with a letter of Cyrillic within a Latin word. Macs write letters and their marks
# apart, so it is asked of the text with these put together.
_TWO_BYTES_END = "\u07ff"  # the last character that UTF-8 writes in two bytes
_MIXED_WORD = re.compile("[A-Za-z]{2}[\u0250-\u07ff][A-Za-z]|[A-Za-z][\u0250-\u07ff][A-Za-z]{2}")
# Three bytes of UTF-8, of a character or its begin.
_LONG_SEQUENCE = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{2}")
# Encodings that a reason names, where they fit.
_CANDIDATES = ("cp1252", "cp1250", "cp1251", "gb18030", "big5", "cp949", "cp932", "euc_jp")


def as_utf8(
    chunks: Iterator[bytes], encoding: str | None = None, names: Collection[str] = ()
) -> Iterator[bytes]:
    """Yield the text as UTF-8 without byte order mark. `encoding`: as the source's definition states it, if it does.

    What says so is not believed of a file whose beginning can only be UTF-8: systems change, and files of both come.
    Without it: a byte order mark decides, then the pattern of NUL bytes (UTF-16), then the first 64 KiB from the
    first byte on that is not ASCII: UTF-8; or what the `names` that a mapping expects in a header are written in; or
    GB 18030 where enough speaks for Chinese. Raises BadFile: unsure_encoding where it is none of these, but for stray
    bytes; not_text for binary files, broken_encoding where UTF-16 breaks off within a character; BadDefinition for an
    encoding nobody knows.
    """
    head, text = peek(chunks, EncodingPolicy.head_bytes)
    mark, marked_encoding = _byte_order_mark(head)
    name = marked_encoding or _stated_encoding(encoding, head) or _utf16_order(head)
    if name in (None, "utf-8"):
        _refuse_binary(head)
    if name is None:
        yield from _recognised(text, names)
    elif name == "utf-8":
        yield from without_first(len(mark), text)
    elif name.startswith("utf-") or not _holds_ascii(name):
        yield from _decode(without_first(len(mark), text), name)
    else:
        yield from _stated(text, name)


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
    if printable * 2 > len(head) or may_be_chinese(head.replace(b"\0", b"")):
        return True
    text = head.decode("utf-8", "replace")
    is_utf8 = _REPLACEMENT not in text.rstrip(_REPLACEMENT)  # the head may end within a character
    has_few_nuls = nuls * EncodingPolicy.nul_in_utf8_one_in < len(head)
    has_few_controls = _controls(head) * EncodingPolicy.control_one_in < len(head)
    return is_utf8 and has_few_nuls and has_few_controls


def _controls(head: bytes) -> int:
    return len(head) - len(head.translate(None, _CONTROLS))


def _refuse_binary(head: bytes) -> None:
    """Raise BadFile (not_text) where NULs are many, or control characters where the text is not UTF-8 either.

    Those that fill up a file behind its text are a line that is no record.
    """
    nuls = (head.rstrip(b"\0") or head).count(0)
    if nuls > EncodingPolicy.few_nuls and nuls * EncodingPolicy.nul_one_in > len(head):
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


def _holds_ascii(name: str) -> bool:
    """Return whether text that is ASCII is the same in an encoding; not so where all is written in seven."""
    ascii_bytes = bytes(range(0x80))
    return not name.startswith(_IN_SEVEN_BITS) and ascii_bytes.decode(name, "replace") == ascii_bytes.decode()


def _stated(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield text in the encoding that is stated, unless what begins with the first byte beyond ASCII is UTF-8."""
    for chunk in chunks:
        if chunk.isascii():
            yield chunk
            continue
        first_high = _NOT_ASCII.search(chunk)
        start = first_high.start() if first_high else 0
        head, rest = peek(itertools.chain((chunk,), chunks), start + EncodingPolicy.window_bytes)
        yield from rest if _is_surely_utf8(head[start:]) else _decode(rest, name)


def _recognised(chunks: Iterator[bytes], names: Collection[str]) -> Iterator[bytes]:
    """Pass ASCII on until a byte is none; the window that begins there decides about all that follows."""
    bytes_before, last = 0, b""
    for chunk in chunks:
        if _ESCAPE in chunk and _ISO_2022.search(chunk):
            raise _unsure(chunk, "its letters are written in seven bits", ("iso2022_jp", "iso2022_kr"))
        if chunk.isascii():
            bytes_before += len(chunk)
            last = chunk[-1:] or last
            if chunk:
                yield chunk
            continue
        first_high = _NOT_ASCII.search(chunk)
        start = first_high.start() if first_high else 0
        head, rest = peek(itertools.chain((chunk,), chunks), start + EncodingPolicy.window_bytes)
        is_within_word = (last + head[:start])[-1:].isalpha()
        name = _recognise(head[start:], bytes_before + start, names, is_within_word=is_within_word)
        yield from rest if name == "utf-8" else _decode_line_by_line(rest, name)


def _recognise(window: bytes, bytes_before: int, names: Collection[str], *, is_within_word: bool) -> str:
    """Return the encoding of a window that begins with a byte that is not ASCII; BadFile where nobody can tell.

    Bytes that stand alone are damage, and so are a few within words of a long text: they cost their rows.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = ("aa" if is_within_word else "") + decoder.decode(window)  # a character may break off at the end
    broken = text.count(_REPLACEMENT) - window.count(_REPLACEMENT.encode())
    if _is_utf8(text, broken):
        return "utf-8"
    if encoding := encoding_by_names(window, names):
        return encoding
    if is_chinese(window):
        return "gb18030"
    in_words = len(_BROKEN_IN_WORD.findall(text))
    if broken and in_words * EncodingPolicy.stray_one_in <= bytes_before + len(window):
        return "utf-8"
    raise _unsure(window, "its bytes are no UTF-8, and too few to tell what they are", _CANDIDATES)


def _is_utf8(text: str, broken: int) -> bool:
    """Tell whether a decoded text is UTF-8, though so many characters are broken: one makes no file Chinese.

    What is written in another encoding is UTF-8 here and there by chance: a few characters of two bytes.
    """
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    is_thin = sound <= EncodingPolicy.thin_characters
    if is_thin and _MIXED_WORD.search(unicodedata.normalize("NFC", text)):
        return False
    if sound >= EncodingPolicy.sound_for_broken * broken:
        return True
    different = set(text) - {_REPLACEMENT}
    is_chance = (
        max(different, default="") <= _TWO_BYTES_END
        and sum(not character.isascii() for character in different) <= EncodingPolicy.thin_characters
    )
    return sound >= broken and not is_chance


def _is_surely_utf8(window: bytes) -> bool:
    """Tell whether a text is UTF-8 whatever else is said of it: not a byte is broken, and it has several such letters.

    A single one may be so by chance: RÓŻA of cp1250, 联 of GBK.
    """
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(window)  # a character may break off at the end
    except UnicodeDecodeError:
        return False
    letters = {character for character in text if not character.isascii()}
    is_mixed = _MIXED_WORD.search(unicodedata.normalize("NFC", text)) is not None
    return len(letters) >= EncodingPolicy.sure_letters and not is_mixed


def _unsure(window: bytes, what: str, candidates: Iterable[str]) -> BadFile:
    """Return the error that says what to write into the definition: of the usual encodings those that fit."""
    fitting = [name for name in candidates if _fits(window, name)]
    such_as = f", such as {', '.join(fitting)}" if fitting else ""
    return BadFile(
        "unsure_encoding",
        f"{what}: write the encoding of the source's files as `encoding` into its definition{such_as}; then "
        "`lakehouse quarantine replay --code unsure_encoding` loads them",
    )


def _fits(window: bytes, name: str) -> bool:
    """Return whether an encoding knows all characters of a window, the last of which may break off."""
    try:
        codecs.getincrementaldecoder(name)().decode(window)
    except UnicodeDecodeError:
        return False
    return True


def _decode_line_by_line(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield what a decoder makes of a guessed encoding, but for lines that are of another one: these stay as they are.

    A file may be made of several. What is UTF-8 loads, what is neither is set aside.
    """
    pending = b""
    for chunk in chunks:
        lines, newline, pending = (pending + chunk).rpartition(b"\n")
        if newline:
            yield b"".join(_decode_lines(lines + newline, name))
        elif len(pending) > EncodingPolicy.checked_line_bytes:  # no lines at all
            yield from _decode(itertools.chain((pending,), chunks), name)
            return
    if pending:
        yield b"".join(_decode_lines(pending, name))


def _decode_lines(block: bytes, name: str) -> Iterator[bytes]:
    decoded_to = 0
    for start, end in _foreign_lines(block, name):
        yield from _decode(iter((block[decoded_to:start],)), name)
        yield block[start:end]
        decoded_to = end
    yield from _decode(iter((block[decoded_to:],)), name)


def _foreign_lines(block: bytes, name: str) -> list[tuple[int, int]]:
    """Return where lines begin and end that are not written in the encoding that their file seems to have.

    UTF-8 of two bytes a letter may be Chinese by chance, but not within a word of Latin letters.
    """
    foreign = {
        (match.start(), match.end() - 1)
        for match in _LINE_OF_UTF8.finditer(b"\n" + block)
        if _LONG_SEQUENCE.search(match[0]) or _UTF8_IN_WORD.search(match[0])
    }
    if name == "gb18030":  # elsewhere second bytes are letters, too
        classes = block.translate(_CLASSES)
        for pattern in _BYTE_IN_WORD:
            foreign.update(_lines_with(classes, pattern, block))
    return sorted(foreign)


def _lines_with(classes: bytes, pattern: bytes, block: bytes) -> Iterator[tuple[int, int]]:
    """Yield where lines of a block begin and end in which the classes of its bytes have a pattern."""
    position = classes.find(pattern)
    while position >= 0:
        end = block.find(b"\n", position)
        end = len(block) if end < 0 else end
        yield block.rfind(b"\n", 0, position) + 1, end
        position = classes.find(pattern, end)
