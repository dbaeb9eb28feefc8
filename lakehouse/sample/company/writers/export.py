"""An export as a table of texts, and the faults that real systems put into it: each at a known rate, each noted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import FaultRates
from lakehouse.sample.company.random_arrays import Flags, Ints, random_stream
from lakehouse.sample.company.world.chunk import Chunk

GENERATED = "generated sample"  # what rows say of themselves where a system has a column for their source
LINES = "line"  # the one column of a file of lines
CSV, QUOTED, PACKED, WORKBOOK = ".csv", "quoted.csv", ".jsonl.gz", ".xlsx"  # what an export is written as
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True)
class Export:
    """Rows of one file under `place` (`source/entity`), as texts; null is an empty field, "" a quoted one.

    `person` is whose row it is, so that a smaller company leaves rows out (None: nobody's). `faults` says of each
    kind, named `column.fault`, which rows have it. `form` is one of CSV, QUOTED (every value in quotation marks),
    PACKED (lines as they are) and WORKBOOK.
    """

    place: str
    rows: pa.Table
    person: Ints | None = None
    faults: dict[str, Flags] = field(default_factory=dict)
    form: str = CSV

    def within(self, customers: int) -> Export:
        """Return the rows of the first so many customers."""
        if self.person is None or not (beyond := self.person >= customers).any():
            return self
        return self.only(~beyond)

    def only(self, keep: Flags) -> Export:
        """Return some of the rows."""
        rows = np.flatnonzero(keep)
        faults = {name: flags[rows] for name, flags in self.faults.items()}
        person = None if self.person is None else self.person[rows]
        return replace(self, rows=self.rows.take(pa.array(rows)), person=person, faults=faults)


class Dirt:
    """Puts faults into the columns of one export of one chunk, and notes which rows have them."""

    def __init__(self, chunk: Chunk, place: str) -> None:
        self._chunk, self._place = chunk, place
        self._rates: FaultRates = chunk.scenario.plants.dirt
        self._faults: dict[str, Flags] = {}

    def _draws(self, column: str, rows: int) -> Any:
        """Return randomness for one column alone."""
        rng = random_stream(self._chunk.scenario.seed, f"dirt/{self._place}.{column}", self._chunk.number)
        return rng.random(rows)

    def _draws_of(self, column: str, values: pa.Array) -> Any:
        """Return randomness for one column; where nothing stands, nothing can be spoilt: 1."""
        there = values.is_valid().to_numpy(zero_copy_only=False)
        return np.where(there, self._draws(column, len(values)), 1.0)

    def _share(self, column: str, draws: Any, faults: dict[str, float]) -> dict[str, Flags]:
        """Note which rows have which of several faults, at most one each; return the rows of each."""
        found, low = {}, 0.0
        for fault, rate in faults.items():
            found[fault] = (draws >= low) & (draws < low + rate)
            self._faults[f"{column}.{fault}"] = found[fault]
            low += rate
        return found

    def phones(self, column: str, phones: pa.Array) -> pa.Array:
        """Return 11-digit numbers as people type them and spreadsheets spoil them; null stays null."""
        rates = self._rates
        of = self._share(
            column,
            self._draws_of(column, phones),
            {
                "excel_phone": rates.excel_phone,
                "full_width_digits": rates.full_width_digits,
                "dashed_phone": rates.dashed_phone,
                "prefixed_phone": rates.prefixed_phone,
            },
        )
        phones = text.replaced_where(phones, of["excel_phone"], _excel)
        phones = text.replaced_where(phones, of["full_width_digits"], _full_width)
        phones = text.replaced_where(phones, of["dashed_phone"], lambda t: _grouped(t, "", "-"))
        return text.replaced_where(phones, of["prefixed_phone"], lambda t: _grouped(t, "+86 ", " "))

    def emails(self, column: str, emails: pa.Array) -> pa.Array:
        """Return addresses, some missing."""
        draws = self._draws_of(column, emails)
        of = self._share(column, draws, {"missing_email": self._rates.missing_email})
        return text.null_where(emails, of["missing_email"])

    def words(self, column: str, words: pa.Array) -> pa.Array:
        """Return texts, some with a space behind; null stays null."""
        draws = self._draws_of(column, words)
        of = self._share(column, draws, {"trailing_space": self._rates.trailing_space})
        return text.replaced_where(words, of["trailing_space"], lambda t: text.joined(t, " "))

    def optional(self, column: str, words: pa.Array) -> pa.Array:
        """Return texts, some of them an empty string instead."""
        draws = self._draws(column, len(words))
        of = self._share(column, draws, {"empty_string": self._rates.empty_string})
        return pc.if_else(pa.array(of["empty_string"]), "", words)

    def local_moments(self, column: str, seconds: Ints) -> pa.Array:
        """Return moments of one file in several formats: mostly 2026-01-05 13:04:09."""
        rates = self._rates
        of = self._share(
            column,
            self._draws(column, len(seconds)),
            {"slash_date": rates.slash_date, "chinese_date": rates.chinese_date},
        )
        slash, chinese = seconds[of["slash_date"]], seconds[of["chinese_date"]]
        told = text.replaced_where(text.local(seconds), of["slash_date"], lambda _: _moments(slash, _slash))
        return text.replaced_where(told, of["chinese_date"], lambda _: _moments(chinese, _chinese))

    def export(
        self, columns: dict[str, Any], person: Ints, form: str = CSV, keep: Flags | None = None
    ) -> Export:
        """Return the export, of all rows or those to `keep`, some of them twice; then their faults count twice."""
        draws = self._draws("rows", len(person))
        times = 1 + (draws < self._rates.duplicate_row)
        twice = np.repeat(np.arange(len(person)), times if keep is None else times * keep)
        again = np.r_[False, twice[1:] == twice[:-1]][: len(twice)]
        faults = {name: flags[twice] for name, flags in self._faults.items()}
        rows = pa.table(columns).take(pa.array(twice))
        return Export(self._place, rows, person[twice], {**faults, "rows.duplicate_row": again}, form)


def _excel(phones: pa.Array) -> pa.Array:
    """13812345678 in a narrow column: 1.38E+10."""
    first, next_two = (pc.utf8_slice_codeunits(phones, *part) for part in ((0, 1), (1, 3)))
    return text.joined(first, ".", next_two, "E+10")


def _full_width(phones: pa.Array) -> pa.Array:
    return pa.array([phone.translate(_FULL_WIDTH) for phone in phones.to_pylist()], pa.string())


def _grouped(phones: pa.Array, before: str, between: str) -> pa.Array:
    parts = (pc.utf8_slice_codeunits(phones, *part) for part in ((0, 3), (3, 7), (7, 11)))
    first, second, third = parts
    return text.joined(before, first, between, second, between, third)


def _moments(seconds: Ints, write: Any) -> pa.Array:
    return text.joined(text.days(seconds, write), " ", pc.utf8_slice_codeunits(text.clock(seconds), 0, 5))


def _slash(day: dt.date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _chinese(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
