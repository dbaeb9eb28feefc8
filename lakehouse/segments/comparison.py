"""Who would enter and who would leave segments, and why: one state of them compared with another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.segments.known import CUSTOMERS_SQL, known_of
from lakehouse.segments.question import Question, WrongQuestionError, question_of, text_of
from lakehouse.segments.willing import count_lacking

if TYPE_CHECKING:
    from lakehouse.segments.definition import Segment
    from lakehouse.segments.read_only import Lake
    from lakehouse.segments.willing import Asked

Change = Literal["entering", "leaving"]
BEFORE: Final = "fulfilling_before"  # as `fulfilling`: who is in each segment of the state before
_CHANGED: Final = "changed"
_SILENT: Final = (
    "all of it held before, too: what was asked has changed since, or the segment was kept as it was"
)


@dataclass(frozen=True)
class Moved:
    """Those who enter, or leave: how many, how many of them lack consent, and why; `customers` are some of them.

    A customer may have several reasons: they are counted apart, and together come to more than `count`.
    """

    count: int
    lacking: dict[str, int]
    reasons: dict[str, int]
    customers: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Difference:
    """One segment in two states. `state` is new, gone, changed (its definition), same, or wrong: it keeps its members.

    `definition` says of each field that changed what stood there and what stands there.
    """

    segment: str
    state: str
    before: int
    after: int
    entering: Moved
    leaving: Moved
    definition: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True)
class Side:
    """Definitions of one state by name; `wrong` says which of them keep their members, and why.

    `silent` is why nobody knows the reasons of this state any more; "" where they can be asked. `make_ready` puts the
    marts of this state in place.
    """

    defined: Mapping[str, Segment]
    wrong: Mapping[str, str]
    silent: str = ""
    make_ready: Callable[[], None] = lambda: None


def compare(
    lake: Lake,
    names: Iterable[str],
    before: Side,
    after: Side,
    asked: Callable[[str], Iterable[Asked]],
    most: int,
) -> list[Difference]:
    """Return the difference of each segment between the tables `fulfilling_before` and `fulfilling`.

    `asked` says of a segment for which purposes and channels consent is counted, `most` how many customers are named.
    Who enters did not fulfil the definition before, who leaves does not fulfil it after: that is the reason.
    """
    compared = sorted(set(names) - after.wrong.keys())
    _note_changes(lake, compared)
    after.make_ready()
    for name in compared:
        _note_reasons(lake, name, "leaving", after, "fulfilling")
    before.make_ready()
    for name in compared:
        _note_reasons(lake, name, "entering", before, BEFORE)
    return [_difference(lake, name, before, after, tuple(asked(name)), most) for name in sorted(set(names))]


def _note_changes(lake: Lake, names: list[str]) -> None:
    """Make the table of who is in one state and not in the other."""
    lake.con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {_CHANGED} AS
        SELECT segment, customer_id,
            CASE WHEN b.customer_id IS NULL THEN 'entering' ELSE 'leaving' END AS change
        FROM (SELECT segment, customer_id FROM {BEFORE}) AS b
        FULL JOIN (SELECT segment, customer_id FROM fulfilling) AS a USING (segment, customer_id)
        WHERE (a.customer_id IS NULL OR b.customer_id IS NULL) AND list_contains(?, segment)""",
        [names],
    )
    lake.con.execute(
        "CREATE OR REPLACE TEMP TABLE why (segment VARCHAR, customer_id VARCHAR, change VARCHAR, reasons VARCHAR[])"
    )


def _note_reasons(lake: Lake, name: str, change: Change, side: Side, table: str) -> None:
    """Add to `why` those of a segment that enter, or leave, with the reasons why one state does not have them."""
    segment = side.defined.get(name)
    gone = "there is no such segment any more" if change == "leaving" else "the segment is new"
    said = side.silent or (gone if segment is None and name not in side.wrong else side.wrong.get(name, ""))
    if segment is not None and not said:
        try:
            question = question_of(segment, known_of(lake.con))
            lake.rows(f"INSERT INTO why {_reasons_sql(segment, question, change, table)}")
        except WrongQuestionError as error:
            said = f"the condition cannot be asked there: {error}"
        except duckdb.Error as error:
            if isinstance(error, duck.NOT_OF_SQL):
                raise
            said = f"the condition cannot be asked there: {duck.sql_error_text(error)}"
        else:
            return
    lake.con.execute(
        f"INSERT INTO why SELECT segment, customer_id, change, [{literal(said)}] FROM {_CHANGED} "
        "WHERE segment = ? AND change = ?",
        [name, change],
    )


def _reasons_sql(segment: Segment, question: Question, change: Change, table: str) -> str:
    """Return the SELECT of (segment, customer, change, reasons): what of a definition does not hold for those.

    Who is in an excluded segment is out for that, whatever else; who is in none of the included ones must fulfil
    each part of the condition.
    """
    absent = "no customer any more" if change == "leaving" else "was no customer"
    tests = ", ".join(
        f"CASE WHEN ({part.value_sql}) IS NOT TRUE THEN {literal(f'not: {part.sql}')} END"
        for part in question.required
    )
    included = f"{_is_in(segment.include, table)}" if segment.include else "false"
    barred = ", ".join(
        f"CASE WHEN {_is_in((name,), table)} THEN {literal(f'in {name}, which is excluded')} END"
        for name in segment.exclude
    )
    given = "lambda each: each IS NOT NULL"
    return f"""
        SELECT {literal(segment.name)}, customer_id, {literal(change)}, CASE
            WHEN as_of IS NULL THEN [{literal(absent)}]
            WHEN len(barred) + len(failing) = 0 THEN [{literal(_SILENT)}]
            ELSE list_concat(barred, failing) END
        FROM (
            SELECT customer_id, as_of, list_filter([{barred}]::VARCHAR[], {given}) AS barred,
                CASE WHEN {included} THEN []::VARCHAR[] ELSE list_filter([{tests}], {given}) END AS failing
            FROM (
                SELECT customer_id FROM {_CHANGED}
                WHERE segment = {literal(segment.name)} AND change = {literal(change)}
            ) LEFT JOIN ({CUSTOMERS_SQL}) USING (customer_id)
        )"""


def _is_in(names: Iterable[str], table: str) -> str:
    listed = ", ".join(map(literal, names))
    return f"(customer_id IN (SELECT customer_id FROM {table} WHERE segment IN ({listed})))"


def _difference(
    lake: Lake, name: str, before: Side, after: Side, asked: tuple[Asked, ...], most: int
) -> Difference:
    sizes = [
        int(lake.rows(f"SELECT count(*) FROM {table} WHERE segment = ?", [name])[0][0])
        for table in (BEFORE, "fulfilling")
    ]
    old, new = before.defined.get(name), after.defined.get(name)
    wrong = after.wrong.get(name, "")
    return Difference(
        name,
        "wrong" if wrong else _state(old, new),
        sizes[0],
        sizes[0] if wrong else sizes[1],
        _moved(lake, name, "entering", asked, most),
        _moved(lake, name, "leaving", asked, most),
        _changed_fields(old, new),
        wrong,
    )


def _state(old: Segment | None, new: Segment | None) -> str:
    if old is None or new is None:
        return "gone" if new is None else "new"
    return "same" if old == new else "changed"


def _changed_fields(old: Segment | None, new: Segment | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ()
    was, now = old.model_dump(mode="json"), new.model_dump(mode="json")
    was["who"], now["who"] = ("" if each.who is None else text_of(each) for each in (old, new))
    return tuple(
        f"{field}: {_text(was[field])} → {_text(now[field])}" for field in was if was[field] != now[field]
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        given = ((name, _text(each)) for name, each in value.items() if each not in (None, ""))
        return ", ".join(f"{name} {each}" for name, each in given) or "none"
    return " ".join(str(value).split()) or "none"


def _moved(lake: Lake, name: str, change: Change, asked: Iterable[Asked], most: int) -> Moved:
    of_them = f"FROM why WHERE segment = {literal(name)} AND change = {literal(change)}"
    ((count,),) = lake.rows(f"SELECT count(*) {of_them}")
    if not count:
        return Moved(0, {}, {}, ())
    reasons = lake.rows(
        f"SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason {of_them}) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    some = lake.rows(f"SELECT customer_id, reasons {of_them} ORDER BY 1 LIMIT {most:d}")
    return Moved(
        int(count),
        count_lacking(lake, f"SELECT customer_id {of_them}", asked),
        dict(reasons),
        tuple((customer, tuple(why)) for customer, why in some),
    )
