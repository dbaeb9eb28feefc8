"""The rule of consent, read plainly: which customers may be contacted where, from a list of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
Held = dict[
    str, tuple[datetime, datetime | None]
]  # by address, since when a record has it, and when it left it
NEVER = datetime(1, 1, 1, tzinfo=UTC)
NEVER_YET = datetime(9999, 1, 1, tzinfo=UTC)
FIRST = datetime(1971, 1, 1, tzinfo=UTC)  # what is dated before has no date
KINDS = {"email": "email", "sms": "phone", "phone": "phone"}


def allowed(
    rows: Collection[Row],
    carried: Iterable[Row],
    owners: Mapping[str, str],
    recalled: Collection[str] = (),
    erased: Mapping[str, datetime] = MappingProxyType({}),
) -> set[tuple[str, str, str]]:
    """Return (customer, address, channel) of all that may be contacted.

    `erased` are addresses, and records as `record 1`, of people who were erased, and when.

    Of what is restated each row is a statement of its own here: that the SQL keeps one a change makes no difference.
    """
    rows = [at_its_time(dated(row)) for row in rows]
    of_records = list(map(dated, carried))
    history = addresses_of(of_records)
    addresses = {key: {a for a, (_, left) in held.items() if left is None} for key, held in history.items()}
    grants, refused, silenced = {}, set(), set()
    former: dict[tuple[str, str], datetime] = {}
    for subject in {subject_of(row) for row in rows}:
        said = [row for row in rows if subject_of(row) == subject and row["granted"] is not None]
        yes = [
            row
            for row in said
            if row["granted"]
            and counts(row, rows, of_records, recalled)
            and may_allow(row, rows, {row["address"], f"record {row['record']}"}, erased)
        ]
        no = [row for row in said if not row["granted"]]
        refused_at = max((refused_from(row, rows) for row in no), default=None)
        later = [row for row in yes if refused_at is None or granted_from(row, rows) > refused_at]
        for row in later or no:
            channel, owner = row["channel"], owners.get(row["record"])
            of_record = record_of(row), KINDS[channel]
            covered = {row["address"]} if row["address"] else addresses.get(of_record, set())
            if row["granted"]:
                if is_of_another_person(row, rows, history):
                    continue
                said_of = (address for address in covered if may_allow(row, rows, {address}, erased))
                for key in ((owner, address, channel) for address in said_of if owner):
                    grants[key] = max(grants.get(key, NEVER), granted_from(row, rows))
                continue
            refused |= {(address, channel) for address in covered}
            silenced |= set() if covered else {(owner, channel)}
            for address, (_, left) in ({} if row["address"] else history.get(of_record, {})).items():
                if left is not None and left > asserted(row, rows):
                    key = (address, channel)
                    former[key] = max(former.get(key, NEVER), refused_from(row, rows))
    return {
        (who, at, by)
        for (who, at, by), since in grants.items()
        if (at, by) not in refused
        and (who, by) not in silenced
        and not ((at, by) in former and since <= former[at, by])
    }


def dated(row: Row) -> Row:
    """A date that stands for none is none; no row changed after it came."""
    at = {
        name: row[name] if row[name] and row[name] >= FIRST else None
        for name in ("stated_at", "updated_at")
        if name in row
    }
    if at.get("updated_at"):
        at["updated_at"] = min(at["updated_at"], row["_loaded_at"])
    return {**row, **at}


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


def counts(row: Row, rows: Iterable[Row], of_records: Iterable[Row], recalled: Collection[str]) -> bool:
    """A yes counts that a row behind the last deletion of its record says, and one that was not recalled.

    `of_records` are rows of records, whether or not these state anything. `recalled` are files and forms. Where all
    forms that a statement names are recalled, a row that names none is no other evidence.
    """
    deletions = [r for r in (*rows, *of_records) if record_of(r) == record_of(row) and r["deleted"]]
    gone = max(map(clock, deletions), default=None)
    same = [r for r in rows if says_the_same(r, row) and not r["deleted"]]
    said_later = any(gone is None or clock(r) > gone for r in same)
    forms = {r["form"] for r in same if r["form"]}
    stands = any(r["_file_id"] not in recalled and r["form"] not in recalled for r in same)
    return not row["deleted"] and said_later and stands and not (forms and forms <= set(recalled))


def may_allow(
    row: Row, rows: Iterable[Row], names: Collection[str | None], erased: Mapping[str, datetime]
) -> bool:
    """Whether none of the names is an erased person's, or the yes is their own word, of its address, said since."""
    since = max((erased[name] for name in names if name in erased), default=None)
    same = [r for r in rows if says_the_same(r, row) and not r["deleted"]]
    is_own = row["address"] is not None and any(r["own_word"] for r in same)
    return since is None or (is_own and granted_from(row, rows) > since)


def granted_from(row: Row, rows: Iterable[Row]) -> datetime:
    if row["stated_at"] is None:
        return NEVER
    same = [r for r in rows if says_the_same(r, row) and not r["deleted"]]
    return min(row["stated_at"], *(min(r["updated_at"] or r["_loaded_at"], r["_loaded_at"]) for r in same))


def asserted(row: Row, rows: Iterable[Row]) -> datetime:
    """When its record first made a statement, as far as anybody knows."""
    same = [r for r in rows if says_the_same(r, row)]
    changed = (r["updated_at"] or r["_loaded_at"] for r in same)
    return min(row["stated_at"] or NEVER_YET, *changed, *(r["_loaded_at"] for r in same))


def said_last(row: Row, rows: Iterable[Row]) -> datetime:
    """When its record last said so: a row that changes says it as of its change, others as of the statement's date."""
    if row["restated"]:
        return row["stated_at"]  # type: ignore[no-any-return]
    same = [r for r in rows if says_the_same(r, row) and not r["deleted"]]
    return max(min(r["updated_at"] or r["stated_at"] or r["_loaded_at"], r["_loaded_at"]) for r in same)


def is_of_another_person(row: Row, rows: Iterable[Row], history: Mapping[Any, Held]) -> bool:
    """Whether a yes without an address was a user id's, which has been given to somebody else since.

    Records of a CRM are never another person's.
    """
    is_user = row["identifier_type"] in ("user_id", "anonymous_id")
    unnamed = row["address"] is None
    return is_user and unnamed and was_handed_over(record_of(row), said_last(row, rows), history)


def was_handed_over(record: tuple[str, str], since: datetime, history: Mapping[Any, Held]) -> bool:
    """Whether there was a moment after `since` at which none of the record's addresses, of any kind, stayed.

    Whoever has the record's id now is then another person, as far as anybody can tell.
    """
    spans = [span for (whose, _), held in history.items() if whose == record for span in held.values()]
    moments = {left for _, left in spans if left is not None and left > since}
    return any(
        not any(first < moment and (left is None or left > moment) for first, left in spans)
        for moment in moments
    )


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


def addresses_of(carried: Iterable[Row]) -> dict[tuple[tuple[str, str], str], Held]:
    """Return of each record the addresses that it ever had, since when, and when it left each: None while it has it.

    It left one when, after its last mention, another cell is first or last mentioned in its place.
    """
    places: dict[tuple[Any, ...], dict[str | None, list[Row]]] = {}
    for row in sorted(carried, key=clock):
        if row["said"] and not row["deleted"]:
            place = (record_of(row), row["identifier_type"], row["slot"])
            places.setdefault(place, {}).setdefault(row["identifier_value"], []).append(row)
    found: dict[tuple[tuple[str, str], str], Held] = {}
    for (record, kind, _), cells in places.items():
        for address, rows in cells.items():
            others = [clock(r) for cell in cells.values() if cell is not rows for r in (cell[0], cell[-1])]
            left = min((at for at in others if at > clock(rows[-1])), default=None)
            if address:
                held = found.setdefault((record, kind), {})
                since, until = held.get(address, (NEVER_YET, NEVER))
                until = None if left is None or until is None else max(until, left[0])
                held[address] = min(since, clock(rows[0])[0]), until
    return found
