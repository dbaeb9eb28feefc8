"""Unit tests of models: given rows of what a model reads, the rows that it must yield.

They stand beside the model's file, `marts/rfm.tests.yaml` beside `marts/rfm.sql`, as dbt's unit tests do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Final

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import parse_yaml
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.models.model_file import table_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from lakehouse.models.given_rows import GivenRows, Row
    from lakehouse.models.model import Model

SUFFIX: Final = ".tests.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UnitTest(_Strict):
    """One test. `given` has rows by table, `expected` those of the model, in any order.

    Compared are the columns that some row of `expected` names; a cell that a row does not name is null.
    """

    called_by: ClassVar[str] = "name"

    name: str
    as_of: date = date(2026, 3, 1)
    time_zone: str = "UTC"
    given: dict[str, tuple[dict[str, Any], ...]]
    expected: tuple[dict[str, Any], ...]


class UnitTests(_Strict):
    """The tests of one model, in a file of their own; `table` follows from the file's place."""

    table: str = ""
    tests: tuple[UnitTest, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Tested:
    """What came of one test: `problem` is empty where the model did as it says."""

    table: str
    test: str
    problem: str = ""


def _parse(text: str, where: str) -> UnitTests:
    tests = parse_yaml(text, where, UnitTests)
    return tests.model_copy(update={"table": _table_of(where)})


def _table_of(where: str) -> str:
    return table_of(str(PurePath(where).with_suffix("")))


_load = DefinitionLoader(
    "models",
    ("lakehouse.models", "sql"),
    _parse,
    lambda tests: tests.table,
    suffixes=(SUFFIX,),
    key_of_file=_table_of,
)


def load(overrides: Path | None = None) -> tuple[dict[str, UnitTests], dict[str, str]]:
    """Return the tests of each table, and by table what is wrong with files of people's own."""
    loaded = _load.load_each(overrides)
    return loaded.definitions, loaded.wrong


def run(con: duckdb.DuckDBPyConnection, lake: GivenRows, model: Model, test: UnitTest) -> Tested:
    """Run one test on the connection of `lake`."""
    try:
        lake.make_inputs(model, test.given, test.as_of, test.time_zone)
        types = lake.types_of(model.table)
        compared = _compared_columns(test.expected, types)
        yielded = con.execute(f"SELECT {_columns(compared)} FROM ({lake.rows_sql(model)})").fetchall()
        expected = _expected(con, test.expected, compared, types)
    except ValueError as error:
        return Tested(model.table, test.name, str(error))
    except duckdb.Error as error:
        return Tested(model.table, test.name, duck.sql_error_text(error))
    return Tested(model.table, test.name, _difference(compared, yielded, expected))


def _compared_columns(expected: Sequence[Row], types: Collection[str]) -> list[str]:
    """Return the columns that expected rows name, in the order of the table; all where no row is expected."""
    named = {name for row in expected for name in row}
    if unknown := named.difference(types):
        raise ValueError(f"the model has no column {', '.join(sorted(unknown))}")
    return [name for name in types if name in named or not named]


def _expected(
    con: duckdb.DuckDBPyConnection, expected: Sequence[Row], compared: Sequence[str], types: dict[str, str]
) -> list[tuple[Any, ...]]:
    """Return expected rows with the types of the table, as DuckDB reads what YAML says."""
    cells = ", ".join(f"CAST(? AS {types[name]})" for name in compared)
    rows = []
    for row in expected:
        (typed,) = con.execute(f"SELECT {cells}", [row.get(name) for name in compared]).fetchall()
        rows.append(typed)
    return rows


def _difference(
    compared: Sequence[str], yielded: Iterable[tuple[Any, ...]], expected: Iterable[tuple[Any, ...]]
) -> str:
    """Return which rows are missing and which are too many, each as often as it is; empty where none is."""
    missing, surplus = list(expected), []
    for row in yielded:
        if row in missing:
            missing.remove(row)
        else:
            surplus.append(row)
    texts = [f"expected and not yielded: {_shown(compared, row)}" for row in missing]
    texts += [f"yielded and not expected: {_shown(compared, row)}" for row in surplus]
    return "; ".join(texts)


def _shown(compared: Sequence[str], row: tuple[Any, ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(compared, row, strict=True))


def _columns(names: Iterable[str]) -> str:
    return ", ".join(map(identifier, names))
