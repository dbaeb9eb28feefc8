"""The rule of consent, read plainly: which customers may be contacted where, from a list of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
NEVER = datetime(1, 1, 1, tzinfo=UTC)
KINDS = {"email": "email", "sms": "phone", "phone": "phone"}


def allowed(
    rows: Collection[Row], carried: Iterable[Row], owners: Mapping[str, str], recalled: Collection[str] = ()
) -> set[tuple[str, str, str]]:
    """Return (customer, address, channel) of all that may be contacted.

    Of what is restated each row is a statement of its own here: that the SQL keeps one a change makes no difference.
    """
    rows = [at_its_time(row) for row in rows]
    addresses = carried_now(carried)
    grants, refused, silenced = set(), set(), set()
    for subject in {subject_of(row) for row in rows}:
        said = [row for row in rows if subject_of(row) == subject and row["granted"] is not None]
        yes = [row for row in said if row["granted"] and counts(row, rows, recalled)]
        no = [row for row in said if not row["granted"]]
        refused_at = max((refused_from(row, rows) for row in no), default=None)
        later = [row for row in yes if refused_at is None or granted_from(row, rows) > refused_at]
        for row in later or no:
            channel, owner = row["channel"], owners.get(row["record"])
            covered = (
                {row["address"]} if row["address"] else addresses.get((record_of(row), KINDS[channel]), set())
            )
            if row["granted"]:
                grants |= {(owner, address, channel) for address in covered if owner}
            else:
                refused |= {(address, channel) for address in covered}
                silenced |= set() if covered else {(owner, channel)}
    return {(who, at, by) for who, at, by in grants if (at, by) not in refused and (who, by) not in silenced}


def at_its_time(row: Row) -> Row:
    """What is restated was said when its row says so, no later than it came."""
    times = [row[name] for name in ("stated_at", "updated_at", "_loaded_at") if row[name]]
    return {**row, "stated_at": min(times)} if row["restated"] else row


def record_of(row: Row) -> tuple[str, str]:
    return row["source"], row["record"]


def subject_of(row: Row) -> tuple[Any, ...]:
    return row["address"] or ("record", *record_of(row)), row["channel"]


def clock(row: Row) -> tuple[Any, ...]:
    return row["updated_at"] or row["_loaded_at"], row["_loaded_at"], row["_file_id"], row["_row"]


def counts(row: Row, rows: Iterable[Row], recalled: Collection[str]) -> bool:
    """A yes counts that a row behind the last deletion of its record says, and one that was not recalled.

    `recalled` are files and forms. Where all forms that a statement names are recalled, a row that names none is no
    other evidence.
    """
    gone = max((clock(r) for r in rows if record_of(r) == record_of(row) and r["deleted"]), default=None)
    same = [r for r in rows if says_the_same(r, row) and not r["deleted"]]
    said_later = any(gone is None or clock(r) > gone for r in same)
    forms = {r["form"] for r in same if r["form"]}
    stands = any(r["_file_id"] not in recalled and r["form"] not in recalled for r in same)
    return not row["deleted"] and said_later and stands and not (forms and forms <= set(recalled))


def granted_from(row: Row, rows: Iterable[Row]) -> datetime:
    if row["stated_at"] is None:
        return NEVER
    same = [r for r in rows if says_the_same(r, row) and not r["deleted"]]
    return min(row["stated_at"], *(min(r["updated_at"] or r["_loaded_at"], r["_loaded_at"]) for r in same))


def refused_from(row: Row, rows: Iterable[Row]) -> datetime:
    learnt = [r["_loaded_at"] for r in rows if says_the_same(r, row)]
    stated = row["stated_at"]
    if stated is None or stated > min(learnt):
        return max(learnt)
    there = stated.astimezone(ZoneInfo(row["time_zone"]))
    is_day = not row["restated"] and (there.hour, there.minute, there.second) == (0, 0, 0)
    return (there + timedelta(days=1) - timedelta(microseconds=1)).astimezone(UTC) if is_day else stated


def says_the_same(one: Row, other: Row) -> bool:
    return all(
        one[name] == other[name]
        for name in ("source", "record", "address", "channel", "granted", "stated_at")
    )


def carried_now(carried: Iterable[Row]) -> dict[tuple[tuple[str, str], str], set[str]]:
    slots: dict[tuple[Any, ...], str | None] = {}
    for row in sorted(carried, key=clock):
        if row["said"] and not row["deleted"]:
            slots[record_of(row), row["identifier_type"], row["slot"]] = row["identifier_value"]
    found: dict[tuple[tuple[str, str], str], set[str]] = {}
    for (record, kind, _), address in slots.items():
        if address:
            found.setdefault((record, kind), set()).add(address)
    return found
