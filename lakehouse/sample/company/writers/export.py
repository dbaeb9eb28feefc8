"""An export as a table of texts, and the faults that real systems put into it: each at a known rate, each noted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import FaultRates
from lakehouse.sample.company.random_arrays import Flags, Floats, Ints, random_stream
from lakehouse.sample.company.world.chunk import Chunk

GENERATED = "generated sample"  # what rows say of themselves where a system has a column for their source
LINES = "line"  # the one column of a file of lines
CSV, QUOTED, PACKED, WORKBOOK = ".csv", "quoted.csv", ".jsonl.gz", ".xlsx"  # what an export is written as
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True)
class Export:
    """Rows of one `entity` (`source/entity`), as texts; null is an empty field, "" a quoted one.

    `person` is whose row it is, so that a smaller company leaves rows out (None: nobody's). `faults` says of each
    kind, named `column.fault`, which rows have it. `form` is one of CSV, QUOTED (every value in quotation marks),
    PACKED (lines as they are) and WORKBOOK.
    """

    entity: str
    rows: pa.Table
    person: Ints | None = None
    faults: dict[str, Flags] = field(default_factory=dict)
    form: str = CSV

    def within(self, customers: int) -> Export:
        """Return the rows of the first so many customers."""
        if self.person is None:
            return self
        is_within = self.person < customers
        return self if is_within.all() else self.filtered(is_within)

    def filtered(self, keep: Flags) -> Export:
        """Return the rows to keep."""
        rows = np.flatnonzero(keep)
        faults = {name: flags[rows] for name, flags in self.faults.items()}
        person = None if self.person is None else self.person[rows]
        return replace(self, rows=self.rows.take(pa.array(rows)), person=person, faults=faults)


class DirtyExport:
    """An export of one chunk in the making: puts faults into its columns, and notes which rows have them.

    Each method takes the column's name, under which its faults are counted, and clean values; null stays null.
    """

    def __init__(self, chunk: Chunk, entity: str) -> None:
        self._chunk, self._entity = chunk, entity
        self._rates: FaultRates = chunk.scenario.plants.dirt
        self._faults: dict[str, Flags] = {}

    def phones(self, column: str, phones: pa.Array) -> pa.Array:
        """Return 11-digit numbers as people type them and spreadsheets spoil them."""
        writings: dict[str, Callable[[pa.Array], pa.Array]] = {
            "excel_phone": _excel_phones,
            "full_width_digits": _full_width_phones,
            "dashed_phone": lambda spoilt: _grouped_phones(spoilt, "", "-"),
            "prefixed_phone": lambda spoilt: _grouped_phones(spoilt, "+86 ", " "),
        }
        faulty = self._draw_faults(column, self._draws_of_values(column, phones), *writings)
        for fault, write in writings.items():
            phones = text.replaced_where(phones, faulty[fault], write)
        return phones

    def emails(self, column: str, emails: pa.Array) -> pa.Array:
        """Return addresses, some missing."""
        faulty = self._draw_faults(column, self._draws_of_values(column, emails), "missing_email")
        return text.null_where(emails, faulty["missing_email"])

    def texts(self, column: str, texts: pa.Array) -> pa.Array:
        """Return texts, some with a space behind."""
        faulty = self._draw_faults(column, self._draws_of_values(column, texts), "trailing_space")
        return text.replaced_where(texts, faulty["trailing_space"], lambda spoilt: text.joined(spoilt, " "))

    def empty_remarks(self, column: str, rows: int) -> pa.Array:
        """Return remarks that nobody made: null, some of them an empty text instead."""
        faulty = self._draw_faults(column, self._draws(column, rows), "empty_string")
        return pc.if_else(pa.array(faulty["empty_string"]), "", pa.nulls(rows, pa.string()))

    def local_moments(self, column: str, seconds: Ints) -> pa.Array:
        """Return moments of one file in several formats: mostly 2026-01-05 13:04:09."""
        draws = self._draws(column, len(seconds))
        faulty = self._draw_faults(column, draws, "slash_date", "chinese_date")
        slash = _typed_moments(seconds[faulty["slash_date"]], _slash_day)
        chinese = _typed_moments(seconds[faulty["chinese_date"]], _chinese_day)
        moments = text.replaced_where(text.local(seconds), faulty["slash_date"], lambda _: slash)
        return text.replaced_where(moments, faulty["chinese_date"], lambda _: chinese)

    def build(
        self, columns: dict[str, Any], person: Ints, form: str = CSV, keep: Flags | None = None
    ) -> Export:
        """Return the export, of all rows or those to `keep`, some of them twice; then their faults count twice."""
        draws = self._draws("rows", len(person))
        times = 1 + (draws < self._rates.duplicate_row)
        if keep is not None:
            times *= keep
        rows = np.repeat(np.arange(len(person)), times)
        repeats_row_before = np.r_[False, rows[1:] == rows[:-1]][: len(rows)]
        faults = {name: flags[rows] for name, flags in self._faults.items()}
        faults["rows.duplicate_row"] = repeats_row_before
        return Export(self._entity, pa.table(columns).take(pa.array(rows)), person[rows], faults, form)

    def _draws(self, column: str, rows: int) -> Floats:
        """Return randomness for one column alone."""
        rng = random_stream(self._chunk.scenario.seed, f"dirt/{self._entity}.{column}", self._chunk.number)
        return rng.random(rows)

    def _draws_of_values(self, column: str, values: pa.Array) -> Floats:
        """Return randomness for one column; 1 at a null, which cannot be spoilt."""
        is_valid = values.is_valid().to_numpy(zero_copy_only=False)
        return np.where(is_valid, self._draws(column, len(values)), 1.0)

    def _draw_faults(self, column: str, draws: Floats, *kinds: str) -> dict[str, Flags]:
        """Note which rows have which of several faults, at most one each; return the rows of each."""
        faulty, low = {}, 0.0
        for fault in kinds:
            high = low + getattr(self._rates, fault)
            faulty[fault] = (draws >= low) & (draws < high)
            self._faults[f"{column}.{fault}"] = faulty[fault]
            low = high
        return faulty


def _excel_phones(phones: pa.Array) -> pa.Array:
    """13812345678 in a narrow column: 1.38E+10."""
    first_digit, next_two = pc.utf8_slice_codeunits(phones, 0, 1), pc.utf8_slice_codeunits(phones, 1, 3)
    return text.joined(first_digit, ".", next_two, "E+10")


def _full_width_phones(phones: pa.Array) -> pa.Array:
    return pa.array([phone.translate(_FULL_WIDTH) for phone in phones.to_pylist()], pa.string())


def _grouped_phones(phones: pa.Array, prefix: str, separator: str) -> pa.Array:
    """Return numbers in groups of three, four and four digits."""
    first, second, third = (
        pc.utf8_slice_codeunits(phones, start, stop) for start, stop in ((0, 3), (3, 7), (7, 11))
    )
    return text.joined(prefix, first, separator, second, separator, third)


def _typed_moments(seconds: Ints, write_day: Callable[[dt.date], str]) -> pa.Array:
    """Return moments to the minute."""
    hours_and_minutes = pc.utf8_slice_codeunits(text.clock(seconds), 0, 5)
    return text.joined(text.days(seconds, write_day), " ", hours_and_minutes)


def _slash_day(day: dt.date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _chinese_day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
