"""What a person may have changed in the CRM is theirs: which values of a property are ours, and what is kept. Pure.

A guarded property is written only where the CRM holds a value that we may have written, or, where we never wrote one,
none. Everything else was typed by somebody: it is kept, and not written again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lakehouse.outbound.acknowledged import Acknowledged
    from lakehouse.outbound.records import Result, Row

T = TypeVar("T")

GONE: Final = "GONE"  # the code of a row whose record is not there any more
KEPT: Final = "KEPT"  # the code of a row of which a person's value kept something from being written
_MILLISECONDS: Final = 1000
_LEAST_MILLISECONDS: Final = 10**11  # a number of that size is a moment in milliseconds: 1973 and later


def guards_of(names: Iterable[str], held: Acknowledged | None) -> dict[str, list[str]]:
    """Return by guarded property the values that are ours, were the CRM to hold them ("": none)."""
    if held is None:
        return {name: [""] for name in names}
    return {name: _ours(held, name) for name in names if name not in held.theirs}


def _ours(held: Acknowledged, name: str) -> list[str]:
    maybe = held.maybe.get(name, [])
    if name in held.properties:
        return sorted({*maybe, held.properties[name]})
    return sorted(maybe) or [""]


def divide(
    properties: Mapping[str, str], guards: Mapping[str, Collection[str]], current: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return which properties are to be written over the current ones, and the names of those that a person holds.

    A guarded one that stands there already is not written again.
    """
    changed = changed_of(guards, current)
    kept = [name for name in properties if name in changed]
    written = {
        name: value
        for name, value in properties.items()
        if name not in kept and not (name in guards and is_same(current.get(name, ""), value))
    }
    return written, kept


def changed_of(guards: Mapping[str, Collection[str]], current: Mapping[str, str]) -> tuple[str, ...]:
    """Return the guarded properties whose current value is none of ours: a person typed or cleared it."""
    return tuple(
        name
        for name, ours in guards.items()
        if not any(is_same(current.get(name, ""), value) for value in ours)
    )


def may_be_written(row: Row) -> Row:
    """Return a row that an attempt before may have written: what it says is ours, too.

    Not that there is none: a blank that we may have made, or a person, counts as the person's, and is not filled again.
    """
    said = {name: row.properties.get(name, "") for name in row.guards}
    is_ours = {name: {value} for name, value in said.items() if value or row.action == "upsert"}
    guards = {name: sorted({*ours, *is_ours.get(name, ())}) for name, ours in row.guards.items()}
    return replace(row, guards=guards)


def after_sent(before: Acknowledged | None, now: Acknowledged, row: Row, result: Result) -> Acknowledged:
    """Return what the CRM holds after a row was sent; `now` is that without what a person kept."""
    if not row.guards and not result.kept and not (before and before.theirs):
        return now
    written = _without(row.properties, result.kept)
    return replace(now, properties=written, theirs=_theirs(before, result))


def after_removed(before: Acknowledged | None, row: Row, result: Result) -> Acknowledged | None:
    """Return what is to be remembered of a guarded record that was closed or cleared; None where nothing is.

    Its cause may come back, and then neither is a second record made, nor what a person typed written over.
    """
    if before is None or _is_forgotten(before, row, result):
        return None
    written = _without(row.properties, result.kept)
    still = _without(before.properties, result.kept)
    return replace(
        before,
        properties=still | written,
        crm_id=before.crm_id or result.crm_id,
        unknown=False,
        uncertain=False,
        maybe=_without(before.maybe, written),
        theirs=_theirs(before, result),
        closed=True,
    )


def _is_forgotten(before: Acknowledged, row: Row, result: Result) -> bool:
    """Return whether nothing is to be remembered: nothing is guarded, or we archived what nobody had touched."""
    is_guarded = bool(row.guards or before.theirs)
    is_archived = not (row.properties or result.kept or before.theirs or result.code == GONE)
    return not is_guarded or is_archived


def _without(values: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    return {name: value for name, value in values.items() if name not in names}


def after_uncertain(before: Acknowledged, row: Row) -> dict[str, list[str]]:
    """Return which other values the CRM may hold after an attempt of which nobody knows what became."""
    return {**before.maybe, **{name: sorted(ours) for name, ours in row.guards.items()}}


def after_uncertain_removal(before: Acknowledged, row: Row) -> dict[str, list[str]]:
    """Return which other values the CRM may hold after a removal of which nobody knows what became."""
    held = {name: [*before.maybe.get(name, ())] for name in row.guards}
    ours = may_be_written(replace(row, guards=held)).guards
    return {**before.maybe, **{name: values for name, values in ours.items() if values}}


def _theirs(before: Acknowledged | None, result: Result) -> list[str]:
    return sorted({*(before.theirs if before else ()), *result.kept})


def is_same(one: str, other: str) -> bool:
    """Return whether two texts say the same value: CRMs write numbers and moments in their own way."""
    one, other = one.strip(), other.strip()
    if one == other:
        return True
    if not one or not other:
        return False
    first, second = _plain(one), _plain(other)
    return first is not None and first == second


def _plain(text: str) -> Any:
    """Return a moment, or a number, that a text is; None for any other text."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _moment(text)
    if not number.is_finite():
        return None
    if abs(number) >= _LEAST_MILLISECONDS and not text.startswith(("+", "0")):
        return datetime.fromtimestamp(float(number) / _MILLISECONDS, UTC) if number < 10**14 else number
    return number if not text.startswith(("+", "0")) or text == "0" else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
