"""The parts of a workbook that say how its sheets are read: names, number formats, shared strings."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from lakehouse.errors import BadFile
from lakehouse.sources.formats import cells
from lakehouse.sources.formats.merged_cells import Merged
from lakehouse.sources.formats.sheet_xml import Rows, Strings, column_index
from lakehouse.sources.formats.xml_stream import Attributes, elements

_HIDDEN = {"hidden", "veryHidden"}
_DEFAULT_MAIN_PART = "xl/workbook.xml"
_LISTS_OF_FORMATS = ("cellXfs", "cellStyles", "dxfs")  # of which the first is that of cells


class Parts(Protocol):
    """The parts of a package by name."""

    def __contains__(self, name: str) -> bool:
        """Tell whether there is such a part."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes; BadFile where there is none."""


@dataclass(frozen=True)
class _Link:
    """What a part is linked with: the kind of the other part, and its name."""

    kind: str
    target: str


@dataclass(frozen=True)
class Sheet:
    """A sheet of cells: its name, whether a person sees it, and the part that holds it."""

    name: str
    is_hidden: bool
    part: str


class Workbook:
    """A workbook and its sheets of cells, in their order; charts are none."""

    def __init__(self, parts: Parts) -> None:
        """Read which sheets there are; BadFile where the workbook is damaged or not written in XML."""
        self._parts = parts
        main_part = self._main_part()
        folder, name = posixpath.split(main_part)
        links = self._links(f"{folder}/_rels/{name}.rels", folder)
        self._counts_from_1904 = False
        self._shared_strings: Strings | None = None
        self.sheets: list[Sheet] = []
        for tag, attributes in elements(parts.read(main_part)):
            if tag == "workbookPr":
                self._counts_from_1904 = attributes.get("date1904") in ("1", "true")
            elif tag == "sheet":
                self.sheets += _worksheets(attributes, links)
        part_of_kind = {link.kind: link.target for link in links.values()}
        self._strings_part = part_of_kind.get("sharedStrings", "")
        self._styles_part = part_of_kind.get("styles", "")

    def choose(self, name: str | None) -> Sheet:
        """Return the sheet of this name, else the first that is visible; BadFile where there is none."""
        for sheet in self.sheets:
            is_chosen = not sheet.is_hidden if name is None else sheet.name == name
            if is_chosen:
                return sheet
        problem = (
            "has no visible sheet" if name is None else "has no sheet of the name that its source states"
        )
        raise BadFile("bad_xlsx", f"the workbook {problem}")

    def rows(self, sheet: Sheet) -> Rows:
        """Return a sheet's rows."""
        merged = Merged.read(self._parts.read(sheet.part), column_index)
        return Rows(self._parts.read(sheet.part), self._strings(), self._formats(), merged)

    def _strings(self) -> Strings:
        """Return the strings that all sheets share; read once."""
        if self._shared_strings is None:
            self._shared_strings = Strings()
            if self._strings_part in self._parts:
                self._shared_strings.read(self._parts.read(self._strings_part))
        return self._shared_strings

    def _main_part(self) -> str:
        """Return the part that lists the sheets; BadFile where it is not written in XML."""
        targets = [link.target for link in self._links("_rels/.rels", "").values() if _is_main(link)]
        main_part = targets[0] if targets else _DEFAULT_MAIN_PART
        if main_part.endswith(".bin"):
            raise BadFile("unsupported_archive", "an .xlsb; save it as .xlsx or CSV")
        return main_part

    def _formats(self) -> list[cells.Format]:
        """Return how numbers are shown, by the style of their cell."""
        formats: list[cells.Format] = []
        if self._styles_part not in self._parts:
            return formats
        codes: dict[int, str] = {}
        is_of_cells = False
        for tag, attributes in elements(self._parts.read(self._styles_part)):
            if tag == "numFmt":
                codes[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            elif tag in _LISTS_OF_FORMATS:
                is_of_cells = tag == _LISTS_OF_FORMATS[0]
            elif tag == "xf" and is_of_cells:
                number = _number(attributes.get("numFmtId"))
                formats.append(cells.format_of(number, codes.get(number), from_1904=self._counts_from_1904))
        return formats

    def _links(self, part: str, folder: str) -> dict[str, _Link]:
        """Return by id what a part is linked with; names are resolved against its folder."""
        links: dict[str, _Link] = {}
        if part not in self._parts:
            return links
        for tag, attributes in elements(self._parts.read(part)):
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                kind = attributes.get("Type", "").rpartition("/")[2]
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
                links[attributes.get("Id", "")] = _Link(kind, target.lstrip("/"))
        return links


def _is_main(link: _Link) -> bool:
    return link.kind == "officeDocument"


def _worksheets(attributes: Attributes, links: dict[str, _Link]) -> list[Sheet]:
    """Return the sheet that an element names; none where it is a chart, say."""
    link = links.get(_link_id(attributes))
    if link is None or link.kind != "worksheet":
        return []
    return [Sheet(attributes.get("name", ""), attributes.get("state") in _HIDDEN, link.target)]


def _link_id(attributes: Attributes) -> str:
    """Return the id of a link, whatever the prefix of its namespace."""
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
