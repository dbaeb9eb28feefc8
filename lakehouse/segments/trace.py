"""Why a customer is in a segment, or is not: each part of its condition with what it came to for this customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.segments.condition_parts import Part
from lakehouse.segments.known import CUSTOMERS_SQL, known_of
from lakehouse.segments.question import Question, WrongQuestionError, question_of

if TYPE_CHECKING:
    from lakehouse.segments.definition import Segment


@dataclass(frozen=True)
class Line:
    """One part of a condition: how deep it stands, what it asks, whether it holds (None: unknown), and the values."""

    depth: int
    text: str
    holds: bool | None
    values: dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """What a segment's definition comes to for one customer, by the marts in place.

    `lines` are the condition, outermost first; `include` and `exclude` say of each segment named there whether the
    customer is in it. `fulfils` is what follows. `wrong` says why the condition cannot be asked ("": it can); then
    nothing else is known. `as_of` is None for a customer of whom the marts have no row.
    """

    as_of: Any
    lines: tuple[Line, ...]
    include: dict[str, bool]
    exclude: dict[str, bool]
    fulfils: bool
    wrong: str = ""


def trace(con: duckdb.DuckDBPyConnection, segment: Segment, customer: str) -> Trace:
    """Return the trace of a customer; members of other segments are read from the table `fulfilling`."""
    include, exclude = (_is_in(con, names, customer) for names in (segment.include, segment.exclude))
    try:
        as_of, lines = _lines(con, question_of(segment, known_of(con)), customer)
    except WrongQuestionError as error:
        return Trace(None, (), include, exclude, fulfils=False, wrong=str(error))
    except duckdb.Error as error:
        if isinstance(error, duck.NOT_OF_SQL):
            raise
        return Trace(None, (), include, exclude, fulfils=False, wrong=duck.sql_error_text(error))
    if as_of is None:
        return Trace(None, (), include, exclude, fulfils=False)
    holds = lines[0].holds is True or any(include.values())
    return Trace(as_of, lines, include, exclude, fulfils=holds and not any(exclude.values()))


def _lines(con: duckdb.DuckDBPyConnection, question: Question, customer: str) -> tuple[Any, tuple[Line, ...]]:
    parts = question.parts
    values = list(dict.fromkeys(each for part in parts for each in _values_of(part)))
    condition = f"CAST((\n{question.condition}\n) AS BOOLEAN)"
    # the condition as it is asked when members are computed; its parts say why
    asked = ", ".join(
        ("as_of", condition, *(part.value_sql for part in parts[1:]), *(sql for _, sql in values))
    )
    found = con.execute(
        f"SELECT {asked} FROM ({CUSTOMERS_SQL}) AS customers WHERE customer_id = ?", [customer]
    ).fetchone()
    if found is None:
        return None, ()
    as_of, *rest = found
    by_value = dict(zip(values, map(_shown, rest[len(parts) :]), strict=True))
    return as_of, tuple(
        Line(part.depth, part.label, holds, {each[0]: by_value[each] for each in _values_of(part)})
        for part, holds in zip(parts, rest[: len(parts)], strict=True)
    )


def _values_of(part: Part) -> tuple[tuple[str, str], ...]:
    """Return the values behind a part: what each is called, and its SQL."""
    return (*((name, f"customers.{identifier(name)}") for name in part.columns), *part.asks)


def _shown(value: Any) -> Any:
    """Return the one value of a list of one: of most tables a customer has one row."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value or None
    return value


def _is_in(con: duckdb.DuckDBPyConnection, segments: tuple[str, ...], customer: str) -> dict[str, bool]:
    found = con.execute(
        "SELECT segment FROM fulfilling WHERE customer_id = ? AND list_contains(?, segment)",
        [customer, list(segments)],
    ).fetchall()
    inside = {name for (name,) in found}
    return {name: name in inside for name in segments}
