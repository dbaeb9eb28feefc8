"""Reads a workbook's first sheet from its XML, so that nothing that writes one has a say in it."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree as ET

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_workbook(body: bytes) -> list[list[str]]:
    """Return the cells as texts; AssertionError for one that is a formula or a number."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
        strings = (
            ET.fromstring(archive.read("xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in names else []
        )
        shared = ["".join(part.text or "" for part in item.iter(f"{_NS}t")) for item in strings]
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    rows: list[list[str]] = []
    for row in sheet.iter(f"{_NS}row"):
        cells: dict[int, str] = {}
        for cell in row.iter(f"{_NS}c"):
            assert cell.find(f"{_NS}f") is None, "a formula"
            value = cell.find(f"{_NS}v")
            if value is None:
                continue
            assert cell.get("t") == "s", "not a text"
            cells[_column(cell.get("r", "A"))] = _plain(shared[int(value.text or 0)])
        rows.append([cells.get(number, "") for number in range(max(cells, default=-1) + 1)])
    return rows


def _column(reference: str) -> int:
    number = 0
    for letter in re.match(r"[A-Z]+", reference)[0]:  # type: ignore[index]
        number = number * 26 + ord(letter) - 64
    return number - 1


def _plain(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
