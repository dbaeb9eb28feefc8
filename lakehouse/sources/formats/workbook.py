"""The parts of a workbook that say how its sheets are read: names, number formats, shared strings."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Protocol

from lakehouse.errors import BadFile
from lakehouse.sources.formats import cells
from lakehouse.sources.formats.merged_cells import Merged
from lakehouse.sources.formats.sheet_xml import Rows, Strings, column, elements

_SMALL = 16 << 20  # bytes of a part that is read at once
_HIDDEN = {"hidden", "veryHidden"}


class Parts(Protocol):
    """The parts of a package by name."""

    def __contains__(self, name: str) -> bool:
        """Tell whether there is such a part."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes; BadFile where there is none."""


class Workbook:
    """A workbook and the sheet of it that is read."""

    def __init__(self, parts: Parts, sheet: str | None) -> None:
        self._parts = parts
        start = next(
            (target for kind, target in self._by_id("_rels/.rels", "").values() if kind == "officeDocument"),
            "xl/workbook.xml",
        )
        if start.endswith(".bin"):
            raise BadFile("unsupported_archive", "an .xlsb; save it as .xlsx or CSV")
        folder, name = posixpath.split(start)
        targets = self._by_id(f"{folder}/_rels/{name}.rels", folder)
        self._from_1904 = False
        sheets = []
        for tag, attributes in elements(parts.read(start), _SMALL):
            if tag == "workbookPr":
                self._from_1904 = attributes.get("date1904") in ("1", "true")
            elif tag == "sheet":
                kind, target = targets.get(_id(attributes), ("", ""))
                if kind == "worksheet":
                    sheets.append((attributes.get("name"), attributes.get("state"), target))
        self._sheet = self._choose(sheets, sheet)
        by_kind = dict(targets.values())
        self._strings = by_kind.get("sharedStrings", "")
        self._styles = by_kind.get("styles", "")

    def rows(self) -> Rows:
        """Return the sheet's rows."""
        strings = Strings()
        if self._strings in self._parts:
            strings.read(self._parts.read(self._strings))
        merged = Merged.of(self._parts.read(self._sheet), column)
        return Rows(self._parts.read(self._sheet), strings, self._formats(), merged)

    @staticmethod
    def _choose(sheets: list[tuple[str | None, str | None, str]], wanted: str | None) -> str:
        """Return the part of the sheet of this name, else of the first that is visible."""
        for name, state, target in sheets:
            if name == wanted or (wanted is None and state not in _HIDDEN):
                return target
        what = "has no visible sheet" if wanted is None else "has no sheet of the name that its source states"
        raise BadFile("bad_xlsx", f"the workbook {what}")

    def _formats(self) -> list[cells.Format]:
        """Return how numbers are shown, by the style of their cell."""
        codes: dict[int, str] = {}
        formats: list[cells.Format] = []
        if self._styles not in self._parts:
            return formats
        inside = False
        for tag, attributes in elements(self._parts.read(self._styles), _SMALL):
            if tag == "numFmt":
                codes[_int(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            elif tag in ("cellXfs", "cellStyles", "dxfs"):
                inside = tag == "cellXfs"
            elif tag == "xf" and inside:
                number = _int(attributes.get("numFmtId"))
                formats.append(cells.format_of(number, codes.get(number), from_1904=self._from_1904))
        return formats

    def _by_id(self, part: str, folder: str) -> dict[str, tuple[str, str]]:
        """Return (kind, part) by id of what a part is linked with."""
        found: dict[str, tuple[str, str]] = {}
        if part not in self._parts:
            return found
        for tag, attributes in elements(self._parts.read(part), _SMALL):
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = (kind, target.lstrip("/"))
        return found


def _id(attributes: dict[str, str]) -> str:
    """Return the id of a link, whatever the prefix of its namespace."""
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")


def _int(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
