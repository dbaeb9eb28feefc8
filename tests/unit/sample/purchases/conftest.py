"""One sample for all tests of this folder, and ways to read it that share nothing with the generator."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING, Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email

from lakehouse.sample.purchases import SampleFile, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUSTOMERS = 2_500  # enough for households that share a phone
REGIONS = {"China": "CN", "United States": "US", "": None}


class Sample:
    """The files of one run, read back with the csv and json modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress_calls: list[tuple[str, int, int]] = []
        self.files = write(
            folder, customers=CUSTOMERS, progress=lambda *step: self.progress_calls.append(step)
        )
        self.truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
        self.bad = {(name, row): code for name, row, code in self.truth["bad"]}

    def files_of(self, entity: str) -> list[SampleFile]:
        return [file for file in self.files if f"{file.source}/{file.entity}" == entity]

    def good(self, entity: str) -> list[dict[str, str]]:
        """Return the rows of a CSV entity that the truth does not call bad."""
        rows = []
        for file in self.files_of(entity):
            lines = enumerate(self.csv_rows(file.path), start=1)
            rows += [row for number, row in lines if (file.path.name, number) not in self.bad]
        return rows

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the file's name and the event of each line that the truth does not call bad."""
        for file in self.files_of("web/events"):
            for number, line in enumerate(self.lines_of(file.path), start=1):
                if (file.path.name, number) not in self.bad:
                    yield file.path.name, json.loads(line)

    @staticmethod
    def csv_rows(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as text:
            return list(csv.DictReader(text))

    @staticmethod
    def lines_of(path: Path) -> list[str]:
        return gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")

    @staticmethod
    def clean_email(text: str) -> str | None:
        try:
            return validate_email(text.strip(), check_deliverability=False).normalized.lower()
        except EmailNotValidError:
            return None

    @staticmethod
    def clean_phone(text: str, country: str) -> str | None:
        try:
            number = phonenumbers.parse(text, REGIONS[country])
        except phonenumbers.NumberParseException:
            return None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return e164 if phonenumbers.is_valid_number(number) else None


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("sample"))
