"""Exports of the generated company, small, with their own headers or with those that other systems and people use.

The other headers stand in `renamed.yaml`, and in `renamed_later.yaml` those written once the first were tuned on: by
hand, from what such systems call these columns, not taken from the table of synonyms; in `renamed_by_others.yaml` those
of somebody else. Renamed files are called `export.csv`: their name says nothing.
"""

from __future__ import annotations

import csv
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lakehouse.sample.company import write
from lakehouse.sources.formats import sheets

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("en", "zh")
NAMES = {"renamed": LANGUAGES, "renamed later": LANGUAGES, "renamed by others": ("mixed",)}
ROWS = 200
Headers = dict[str, str]


@cache
def names(which: str) -> dict[str, dict[str, list[str]]]:
    """Return the other headers by the source key of an export and its own header: one a language."""
    path = Path(__file__).with_name(f"{which.replace(' ', '_')}.yaml")
    headers: dict[str, dict[str, list[str]]] = yaml.safe_load(path.read_text("utf-8"))
    return headers


class Company:
    """The generated company's exports, written below a folder when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def _company(self) -> Path:
        company = self._folder / "company"
        if not company.exists():
            write(company, customers=300, seed=5, shops=("shop",))
        return company

    def exports(self, source_key: str, which: str = "", language: str = "") -> Iterator[tuple[Path, Headers]]:
        """Yield the file of an export, where there is one, and its headers with what the company called each.

        `which` of NAMES renames it, in a language; else it keeps its own.
        """
        for path in sorted((self._company / source_key).glob("*")):
            if which and source_key in names(which):
                position = NAMES[which].index(language)
                new = {own: others[position] for own, others in names(which)[source_key].items()}
                yield self._small(path, f"{which}/{language}/{source_key}/export.csv", new)
            elif not which and path.suffix in (".csv", ".xlsx"):
                yield self._small(path, f"own/{source_key}.csv", {})
            elif not which:
                yield path, {}

    def _small(self, path: Path, target: str, new_headers: Headers) -> tuple[Path, Headers]:
        """Return a file of the first rows with new headers, and these with the company's own."""
        header, *rows = _rows(path)
        new = [new_headers.get(own, own) for own in header]
        small = self._folder / target
        small.parent.mkdir(parents=True, exist_ok=True)
        with small.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([new, *rows])
        return small, dict(zip(new, header, strict=True))


def _rows(path: Path) -> list[list[str]]:
    if path.suffix == ".xlsx":
        lines = b"".join(sheets.as_csv(path)).decode().splitlines()
        return list(islice(csv.reader(lines), ROWS + 1))
    with path.open(encoding="utf-8-sig", newline="") as text:
        return list(islice(csv.reader(text), ROWS + 1))
