"""Exports of the generated company, small, with their own headers or with those that other systems and people use.

The other headers stand in `renamed.yaml`, written by hand from what such systems call these columns, not taken from
the table of synonyms. Renamed files are called `export.csv`: their name says nothing.
"""

from __future__ import annotations

import csv
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lakehouse.local.sample.company import write
from lakehouse.sources.formats import sheets

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("en", "zh")
ROWS = 200


@cache
def names() -> dict[str, dict[str, list[str]]]:
    """Return the other headers by the place of an export and its own header: one in English, one in Chinese."""
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(
        Path(__file__).with_name("renamed.yaml").read_text("utf-8")
    )
    return found


class Company:
    """The generated company's exports, written below a folder when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def _whole(self) -> Path:
        whole = self._folder / "company"
        if not whole.exists():
            write(whole, customers=300, seed=5)
        return whole

    def exports(self, place: str, language: str = "") -> Iterator[tuple[Path, dict[str, str]]]:
        """Yield the file of an export, where there is one, and its headers with what the company called each."""
        for path in sorted((self._whole / place).glob("*")):
            if not language and path.suffix != ".csv":
                yield path, {header: header for header in _rows(path)[0]} if path.suffix == ".xlsx" else {}
            elif not language or place in names():
                yield self._small(path, place, language)

    def _small(self, path: Path, place: str, language: str) -> tuple[Path, dict[str, str]]:
        header, *rows = _rows(path)
        told = names().get(place, {}) if language else {}
        new = [told[own][LANGUAGES.index(language)] if language else own for own in header]
        target = self._folder / (f"{language}/{place}/export.csv" if language else f"own/{place}.csv")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([new, *rows])
        return target, dict(zip(new, header, strict=True))


def _rows(path: Path) -> list[list[str]]:
    if path.suffix == ".xlsx":
        lines = b"".join(sheets.as_csv(path)).decode().splitlines()
        return list(islice(csv.reader(lines), ROWS + 1))
    with path.open(encoding="utf-8-sig", newline="") as text:
        return list(islice(csv.reader(text), ROWS + 1))
