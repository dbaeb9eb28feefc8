"""What kind of file it is, told from its first bytes; a name says what somebody meant, the bytes what it is."""

from __future__ import annotations

from typing import Literal

from lakehouse.errors import BadFile
from lakehouse.sources.formats import json_records

Kind = Literal["parquet", "xlsx", "json_lines", "json_array", "delimited"]
HEAD = 1 << 16
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = (b"<?xml", b"<!doctype", b"<html", b"<table")
_GOES_ON = (b"{", b"[", b",", b":")
_LINES = 20


def kind(head: bytes) -> Kind:
    """Return the kind of a file that begins with `head`, up to 64 KiB of it, as UTF-8 where it is text.

    Raises BadFile: old_excel (.xls), encrypted_parquet, markup (HTML, XML, which some systems call .xls).
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PARE"):
        raise BadFile("encrypted_parquet", "the Parquet's footer is encrypted; send it without encryption")
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(_OLD_OFFICE):
        advice = "an old .xls, or an .xlsx with a password; save it as .xlsx without password, or as CSV"
        raise BadFile("old_excel", advice)
    text = head.lstrip(b" \t\r\n")
    if text.startswith(b"["):
        return "json_array"
    if text[:9].lower().startswith(_MARKUP):
        raise BadFile("markup", "a page of HTML or XML, no table; export as CSV or .xlsx")
    lines = [line for line in text.replace(b"\r", b"\n").split(b"\n", _LINES) if line.strip()]
    if text.startswith(b"{"):
        return "json_array" if _is_spread(text, lines) else "json_lines"
    objects = sum(line.lstrip().startswith(b"{") for line in lines)
    return "json_lines" if objects * 2 > len(lines) else "delimited"


def _is_spread(text: bytes, lines: list[bytes]) -> bool:
    """Tell whether objects go over several lines, stand side by side on one, or are an envelope of records.

    A first line that is broken is one bad row, so the line after it decides: records begin where lines do.
    """
    first = lines[0].rstrip()
    follows = lines[1].lstrip()[:1] if len(lines) > 1 else b""
    end = json_records.end_of_value(first, 0)
    if json_records.is_wrapper(text) and (end is None or follows != b"{"):
        return True
    if end is not None:
        return first[end:].lstrip().startswith(b"{")
    return len(lines) > 1 and follows != b"{" and first.endswith(_GOES_ON)
