"""Reads a model's file: `<namespace>/<table>.sql`, in its first comment the table's contract as YAML, then one SELECT.

The file's place says which table it fills: `marts/rfm.sql` fills `marts.rfm`. Tables whose contract the code keeps,
since more than models know them, such as `core.orders`, have no contract in a file that fills them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from lakehouse.definitions import Problem, find_line, nearest, read_yaml
from lakehouse.errors import BadDefinition
from lakehouse.models.model import Appended, Audit, ByGrain, Model
from lakehouse.models.select_statement import (
    SelectStatement,
    StatementError,
    columns_of,
    read_statement,
    without_semicolon,
)
from lakehouse.tables import entities
from lakehouse.tables.contract import Column, Contract, Migration, Partition
from lakehouse.tables.people import CONSENT_ANSWERS, CONSENTS, CUSTOMERS

NAMESPACES: Final = ("core", "marts")
KEPT_IN_CODE = {contract.name: contract for contract in (*entities.ALL, CUSTOMERS, CONSENTS, CONSENT_ANSWERS)}
_HEADER = re.compile(r"\A\s*/\*(?P<yaml>.*?)\*/", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SQL: Final = "SQL"  # what is wrong is not in the header


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnHeader(_Strict):
    """A column: name and type as `Column` has them, what it means in English and Chinese, whether it is personal."""

    called_by: ClassVar[str] = "name"

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    type: str = "string"
    doc: str
    zh: str = ""
    pii: bool = False


class AuditHeader(_Strict):
    """A condition that no row may contradict."""

    called_by: ClassVar[str] = "name"

    name: str
    condition: str


class MigrationHeader(_Strict):
    """A change of columns that more columns at the end do not express: see `Migration`."""

    number: int
    why: str
    rename: dict[str, str] = Field(default_factory=dict)
    drop: dict[str, int] = Field(default_factory=dict)


class IncrementalHeader(_Strict):
    """Which rows follow from which: of a table that only grows (`appended`), or by a column (`by`), see `ByGrain`."""

    appended: str = ""
    by: str = ""
    of: dict[str, str | tuple[str, str] | dict[str, str | tuple[str, str]]] = Field(default_factory=dict)


class ModelHeader(_Strict):
    """The contract of a table that a model fills, its audits, and how it is computed in parts."""

    doc: str
    zh: str = ""
    kind: Literal["table", "view"] = "table"
    only_on: Literal["", "duckdb", "spark"] = ""
    grain: str
    key: tuple[str, ...] = Field(min_length=1)
    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    columns: tuple[ColumnHeader, ...] = Field(min_length=1)
    audits: tuple[AuditHeader, ...] = ()
    incremental: IncrementalHeader | None = None
    migrations: tuple[MigrationHeader, ...] = ()


def table_of(where: str) -> str:
    """Return the table that a file fills by its place below the folder of models: `marts/rfm.sql` fills `marts.rfm`."""
    return ".".join(PurePath(where).with_suffix("").parts)


def parse(text: str, where: str) -> Model:
    """Read one file; BadDefinition names the file, what is wrong in it, and the line."""
    table = _checked_table(where)
    header = _HEADER.match(text)
    if header is None and table not in KEPT_IN_CODE:
        message = (
            "the file begins with /* … */: doc, grain, key and columns, as `lakehouse models new` writes it"
        )
        raise _wrong(where, Problem("header", 1, message))
    sql = text if header is None else "\n" * header[0].count("\n") + text[header.end() :]
    sql = without_semicolon(sql)
    try:
        statement = read_statement(sql)
    except StatementError as error:
        raise _wrong(where, Problem(_SQL, error.line, str(error))) from error
    contract, header_of = _contract(table, where, header) if header else (KEPT_IN_CODE[table], None)
    _check_columns(contract, statement, where)
    if header_of is None:
        return _model(contract, statement, sql, where)
    if header_of.kind == "view":
        _check_view(header_of, statement, where)
    incremental = _incremental(header_of, contract, statement, where)
    return replace(
        _model(contract, statement, sql, where),
        audits=tuple(Audit(one.name, one.condition) for one in header_of.audits),
        unique_key=header_of.kind != "view" and not isinstance(incremental, Appended),
        incremental=incremental,
        star=statement.columns is None,
        view=header_of.kind == "view",
        only_on=header_of.only_on,
    )


def _model(contract: Contract, statement: SelectStatement, sql: str, where: str) -> Model:
    return Model(
        contract,
        statement.tables,
        sql,
        as_of="as_of" in statement.variables,
        time_zone="time_zone" in statement.variables,
        where=where,
    )


def _checked_table(where: str) -> str:
    """Return the table that a file fills; BadDefinition where its place names none."""
    parts = PurePath(where).with_suffix("").parts
    if len(parts) != 2 or parts[0] not in NAMESPACES or not _NAME.fullmatch(parts[1]):  # noqa: PLR2004 - as written
        raise BadDefinition(
            f"{where}: a model is models/core/<table>.sql or models/marts/<table>.sql, and fills the table of that name"
        )
    return table_of(where)


def _contract(table: str, where: str, header: re.Match[str]) -> tuple[Contract, ModelHeader]:
    """Return what a header says; BadDefinition names all that is wrong in it."""
    if table in KEPT_IN_CODE:
        message = f"the columns of {table} are kept in the code: leave out the first comment"
        raise _wrong(where, Problem("header", 1, message))
    text = header["yaml"]
    offset = header[0][: header.start("yaml") - header.start()].count("\n")
    read, problems = read_yaml(text, ModelHeader)
    if read is None:
        raise _wrong(where, *(_moved(problem, offset) for problem in problems))
    try:
        contract = Contract(
            name=table,
            doc=read.doc,
            zh=read.zh,
            grain=read.grain,
            key=read.key,
            partition=tuple(Partition.parse(partition) for partition in read.partition),
            sort=read.sort,
            columns=tuple(Column(one.name, one.type, one.doc, one.pii, one.zh) for one in read.columns),
            migrations=tuple(Migration(one.number, one.why, one.rename, one.drop) for one in read.migrations),
        )
    except ValueError as error:
        raise _wrong(where, Problem("header", offset + 1, str(error))) from error
    for column in contract.columns:
        if wrong := _wrong_type(column):
            field = f"columns.{column.name}.type"
            raise _wrong(where, Problem(field, offset + find_line(text, field, ModelHeader), wrong))
    return contract, read


def _incremental(
    header: ModelHeader, contract: Contract, statement: SelectStatement, where: str
) -> Appended | ByGrain | None:
    """Return how a model is computed in parts; BadDefinition for tables that it does not read, and another grain."""
    says = header.incremental
    if says is None:
        return None
    joined = _joined(says)
    named = [says.appended] if says.appended else [*says.of, *joined]
    problems = [
        Problem("incremental", 0, f"the SELECT does not read {table}{nearest(table, list(statement.tables))}")
        for table in named
        if table not in statement.tables
    ]
    if bool(says.appended) == bool(says.by):
        problems.append(Problem("incremental", 0, "say either `appended` or `by`"))
    elif says.appended and statement.tables != (says.appended,):
        problems.append(Problem("incremental.appended", 0, "the SELECT reads other tables, too"))
    elif says.by:
        problems += _grain_problems(says, contract, joined)
    if problems:
        raise _wrong(where, *problems)
    return Appended(says.appended) if says.appended else ByGrain(says.by, says.of)


def _check_view(header: ModelHeader, statement: SelectStatement, where: str) -> None:
    """Refuse what says how rows are written, and rows of sources, whose columns are not those of a table."""
    problems = [
        Problem(name, 0, "a view writes no rows: leave it out, or leave out `kind: view`")
        for name in ("partition", "sort", "audits", "incremental", "migrations")
        if getattr(header, name)
    ]
    problems += [
        Problem(_SQL, 0, f"reads {name}: a view reads tables and views")
        for name in statement.tables
        if name.startswith("mapped.")
    ]
    if problems:
        raise _wrong(where, *problems)


def _joined(says: IncrementalHeader) -> list[str]:
    """Return the tables to whose rows those of other inputs belong."""
    return [table for columns in says.of.values() if isinstance(columns, dict) for table in columns]


def _grain_problems(says: IncrementalHeader, contract: Contract, joined: list[str]) -> list[Problem]:
    """Return what is wrong with a grain: an expression of no columns of the table, rows that belong to nobody."""
    names = [column.name for column in contract.columns]
    try:
        of_columns = columns_of(says.by)
    except StatementError as error:
        return [Problem("incremental.by", 0, str(error))]
    problems = [
        Problem("incremental.by", 0, f"there is no column {name}{nearest(name, names)}")
        for name in of_columns
        if name not in names
    ]
    if not of_columns:
        problems.append(Problem("incremental.by", 0, "names no column"))
    return problems + [
        Problem(
            f"incremental.of.{table}",
            0,
            "say of it which column is the grain, since rows of others belong to it",
        )
        for table in joined
        if not isinstance(says.of.get(table), str)
    ]


def _wrong_type(column: Column) -> str:
    try:
        column.duck_type  # noqa: B018 - it is asked whether there is one
    except ValueError as error:
        return str(error)
    return ""


def _check_columns(contract: Contract, statement: SelectStatement, where: str) -> None:
    """Refuse a SELECT that yields other columns than the contract names: one more would be dropped silently."""
    if statement.columns is not None:
        problems = column_problems(contract, statement.columns)
        if problems:
            raise _wrong(where, *problems)


def column_problems(contract: Contract, yielded: tuple[str, ...]) -> list[Problem]:
    """Return what is wrong with the columns that a SELECT yields, given those that its table has."""
    named = [column.name for column in contract.columns]
    lower = {name.lower() for name in named}
    problems = [
        Problem(_SQL, 0, f"yields {name}, which `columns` does not name{nearest(name, named)}")
        for name in yielded
        if name.lower() not in lower
    ]
    found = {name.lower() for name in yielded}
    problems += [
        Problem(f"columns.{name}", 0, "the SELECT does not yield it")
        for name in named
        if name.lower() not in found
    ]
    twice = {name for name in yielded if [one.lower() for one in yielded].count(name.lower()) > 1}
    return problems + [Problem(_SQL, 0, f"yields {name} twice") for name in sorted(twice)]


def _moved(problem: Problem, lines: int) -> Problem:
    return Problem(problem.field, problem.line + lines if problem.line else 0, problem.message)


def _wrong(where: str, *problems: Problem) -> BadDefinition:
    return BadDefinition(f"{where}: {'; '.join(map(str, problems))}")
