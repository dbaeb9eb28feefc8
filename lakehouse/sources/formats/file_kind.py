"""What kind of file it is, recognised by its first bytes; its name says only what somebody meant it to be."""

from __future__ import annotations

from typing import Literal

from lakehouse.errors import BadFile
from lakehouse.sources.formats import json_records
from lakehouse.sources.formats.policy import KindPolicy

Kind = Literal["parquet", "xlsx", "json_lines", "json_array", "delimited"]

_KINDS_BY_SIGN: dict[bytes, Kind] = {b"PAR1": "parquet", b"PK\x03\x04": "xlsx"}
_REFUSED_BY_SIGN = {
    b"PARE": ("encrypted_parquet", "the Parquet's footer is encrypted; send it without encryption"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "old_excel",
        "an old .xls, or an .xlsx with a password; save it as .xlsx without password, or as CSV",
    ),
}
_MARKUP = (b"<?xml", b"<!doctype", b"<html", b"<table")
_LONGEST_MARKUP = max(map(len, _MARKUP))
_VALUE_GOES_ON = (b"{", b"[", b",", b":")  # what a line of JSON ends with whose value goes on in the next


def detect_kind(head: bytes) -> Kind:
    """Return the kind of a file that begins with `head`, of which ingest gives 64 KiB, in UTF-8 where it is text.

    Raises BadFile: old_excel (.xls), encrypted_parquet, markup (HTML, XML, which some systems call .xls).
    """
    for sign, kind in _KINDS_BY_SIGN.items():
        if head.startswith(sign):
            return kind
    for sign, (code, reason) in _REFUSED_BY_SIGN.items():
        if head.startswith(sign):
            raise BadFile(code, reason)
    return _kind_of_text(head.lstrip(b" \t\r\n"))


def _kind_of_text(text: bytes) -> Kind:
    """Return the kind of a file that begins with text, the white space before it taken away."""
    if text.startswith(b"["):
        return "json_array"
    if text[:_LONGEST_MARKUP].lower().startswith(_MARKUP):
        raise BadFile("markup", "a page of HTML or XML, no table; export as CSV or .xlsx")
    lines = [line for line in text.replace(b"\r", b"\n").split(b"\n", KindPolicy.lines) if line.strip()]
    if text.startswith(b"{"):
        return "json_array" if _is_spread(text, lines) else "json_lines"
    objects = sum(line.lstrip().startswith(b"{") for line in lines)
    return "json_lines" if objects * 2 > len(lines) else "delimited"


def _is_spread(text: bytes, lines: list[bytes]) -> bool:
    """Tell whether objects go over several lines, stand side by side on one, or are an envelope of records.

    A first line that is broken is one bad row, so the line after it decides: records begin where lines do.
    """
    first_line = lines[0].rstrip()
    has_more_lines = len(lines) > 1
    next_line_is_object = has_more_lines and lines[1].lstrip().startswith(b"{")
    value_end = json_records.end_of_value(first_line, 0)
    if json_records.is_wrapper(text) and (value_end is None or not next_line_is_object):
        return True
    if value_end is not None:
        return first_line[value_end:].lstrip().startswith(b"{")
    return has_more_lines and not next_line_is_object and first_line.endswith(_VALUE_GOES_ON)
