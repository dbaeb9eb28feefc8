"""Why a customer is in a segment, or is not: each part of its condition with what it came to for this customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.segments import condition_parts, refresh
from lakehouse.segments.condition import problem_in
from lakehouse.segments.condition_parts import Part

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
    if problem := problem_in(segment.where, refresh.columns_of(con)):
        return Trace(None, (), include, exclude, fulfils=False, wrong=problem)
    try:
        as_of, lines = _lines(con, segment.where, customer)
    except duckdb.Error as error:
        if isinstance(error, duck.NOT_OF_SQL):
            raise
        return Trace(None, (), include, exclude, fulfils=False, wrong=duck.sql_error_text(error))
    if as_of is None:
        return Trace(None, (), include, exclude, fulfils=False)
    holds = lines[0].holds is True or any(include.values())
    return Trace(as_of, lines, include, exclude, fulfils=holds and not any(exclude.values()))


def _lines(con: duckdb.DuckDBPyConnection, where: str, customer: str) -> tuple[Any, tuple[Line, ...]]:
    parts = condition_parts.outline(where)
    columns = list(dict.fromkeys(name for part in parts for name in part.columns))
    condition = f"CAST((\n{where}\n) AS BOOLEAN)"
    # the condition as it is asked when members are computed; its parts say why
    asked = ", ".join(
        ("as_of", condition, *(part.value_sql for part in parts[1:]), *map(identifier, columns))
    )
    found = con.execute(
        f"SELECT {asked} FROM ({refresh.CUSTOMERS_SQL}) WHERE customer_id = ?", [customer]
    ).fetchone()
    if found is None:
        return None, ()
    as_of, *rest = found
    values = dict(zip(columns, rest[len(parts) :], strict=True))
    return as_of, tuple(
        _line(part, holds, values) for part, holds in zip(parts, rest[: len(parts)], strict=True)
    )


def _line(part: Part, holds: bool | None, values: dict[str, Any]) -> Line:
    return Line(part.depth, part.label, holds, {name: values[name] for name in part.columns})


def _is_in(con: duckdb.DuckDBPyConnection, segments: tuple[str, ...], customer: str) -> dict[str, bool]:
    found = con.execute(
        "SELECT segment FROM fulfilling WHERE customer_id = ? AND list_contains(?, segment)",
        [customer, list(segments)],
    ).fetchall()
    inside = {name for (name,) in found}
    return {name: name in inside for name in segments}
