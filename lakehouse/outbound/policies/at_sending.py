"""The policies that decide at the moment of sending: consent, then the hour, then how often somebody was written to.

Only rows that write are asked about: a removal waits for nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.errors import LakehouseError
from lakehouse.outbound.policies import caps, ledger
from lakehouse.outbound.policies.caps import Contacted
from lakehouse.outbound.policies.definition import Contact
from lakehouse.outbound.policies.reasons import CONSENT, ERASED, PROJECTION, Reason
from lakehouse.outbound.policies.windows import reason_of_hour
from lakehouse.outbound.record_kinds import NO_PURPOSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lakehouse.outbound.changes import Change
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.policies.definition import Cap
    from lakehouse.outbound.policies.ledger import Decide
    from lakehouse.outbound.records import Chunk, Result, Row
    from lakehouse.privacy.consent import Grants
    from lakehouse.settings import Settings


def consent(row: Row, grants: Grants, purpose: str = "") -> Reason | None:
    """Withhold what nobody allows at this moment, at this very address; without a purpose, of the erased alone."""
    if row.recipient in grants.consent_ids:
        return None
    if row.recipient in grants.unanswered:
        return Reason(PROJECTION)
    if row.recipient in grants.erased:
        return Reason(ERASED)
    return None if purpose == NO_PURPOSE else Reason(CONSENT)


def quiet_hours(facts: Mapping[str, Any], contact: Contact, now: datetime) -> Reason | None:
    """Withhold what would come at night where the person is; `facts` are those of the row."""
    if contact.quiet_hours is None:
        return None
    return reason_of_hour(facts.get("windows", ()), facts.get("zone", ""), now)


def by_people(facts: Mapping[str, Any]) -> list[Contacted]:
    """Return the calls and messages of the company's people that a row's facts name."""
    return [Contacted(datetime.fromtimestamp(at, UTC), key) for at, key in facts.get("by_people", ())]


def reasons_to_withhold(settings: Settings, chunk: Chunk, grants: Grants, now: datetime) -> dict[int, Reason]:
    """Return why rows of a chunk are not sent, by their numbers; for the others a contact is reserved."""
    writes = [row for row in chunk.rows if row.action == "upsert"]
    found = _found(writes, lambda row: consent(row, grants, chunk.purpose))
    contact = contact_of(chunk)
    if contact is None:
        return found
    found |= _found(_without(writes, found), lambda row: quiet_hours(row.facts, contact, now))
    if contact.cap is None:
        return found
    due = _without(writes, found)
    reserved = _reserve(settings, chunk, contact.cap, now, due)
    return found | {row.row: reason for row, reason in zip(due, reserved, strict=True) if reason is not None}


def foresee(settings: Settings, sync: Sync, changes: Iterable[Change], now: datetime) -> list[Reason]:
    """Return why some rows to write would be withheld if they were sent now, but for consent; nothing is reserved."""
    contact = sync.contact
    if contact is None:
        return []

    cap = contact.cap
    found: list[Reason] = []
    awake: list[Change] = []
    for change in changes:
        reason = quiet_hours(change.facts, contact, now)
        if reason is None:
            awake.append(change)
        else:
            found.append(reason)
    if cap is None:
        return found
    known = ledger.read(settings, sync.channel, (change.customer_id for change in awake))
    mine = Contacted(now, "", sync.name)
    at_cap = (
        caps.reserve(known[change.customer_id], mine, by_people(change.facts), cap)[1] for change in awake
    )
    return [*found, *(reason for reason in at_cap if reason is not None)]


def conclude(settings: Settings, chunk: Chunk, results: Iterable[Result]) -> None:
    """Tell the ledger what became of rows: sent for certain, or not; of others the reservation stands.

    What cannot be told is logged: a reservation that stands counts, and the next try of its sync takes its place.
    """
    writes = [result for result in results if result.action == "upsert"]
    sent = [result for result in writes if result.status in ("sent", "unknown")]
    unsent = [result for result in writes if result.status == "failed" and not result.uncertain]
    _tell(settings, chunk, sent, caps.settle)
    _tell(settings, chunk, unsent, caps.withdraw)


def withdraw_all(settings: Settings, chunk: Chunk) -> None:
    """Tell the ledger that nothing of a chunk has left, as `conclude` does."""
    _tell(settings, chunk, [row for row in chunk.rows if row.action == "upsert"], caps.withdraw)


def contact_of(chunk: Chunk) -> Contact | None:
    """Return what a chunk's sync says of contacting people; None where it contacts nobody."""
    return None if chunk.contact is None else Contact.model_validate(chunk.contact)


def _found(rows: Iterable[Row], policy: Callable[[Row], Reason | None]) -> dict[int, Reason]:
    asked = ((row.row, policy(row)) for row in rows)
    return {number: reason for number, reason in asked if reason is not None}


def _without(rows: Iterable[Row], found: Mapping[int, Reason]) -> list[Row]:
    return [row for row in rows if row.row not in found]


def _reserve(
    settings: Settings, chunk: Chunk, cap: Cap, now: datetime, rows: Sequence[Row]
) -> list[Reason | None]:
    """Reserve a contact for each row; return for each why it has none."""

    def reserve_for(row: Row) -> Decide[Reason | None]:
        mine = Contacted(now, _key(chunk, row), chunk.sync)
        made = by_people(row.facts)
        return lambda known: caps.reserve(known, mine, made, cap)

    return ledger.change(settings, chunk.channel, [(row.customer_id, reserve_for(row)) for row in rows], now)


def _tell(
    settings: Settings,
    chunk: Chunk,
    rows: Sequence[Row | Result],
    decide: Callable[[list[Contacted], str], list[Contacted]],
) -> None:
    contact = contact_of(chunk)
    if contact is None or contact.cap is None:
        return

    def tell_of(row: Row | Result) -> Decide[None]:
        key = _key(chunk, row)
        return lambda known: (decide(known, key), None)

    try:
        ledger.change(settings, chunk.channel, [(row.customer_id, tell_of(row)) for row in rows])
    except (LakehouseError, BotoCoreError, ClientError) as error:
        telemetry.failed("the ledger of contacts could not be told", error, sync=chunk.sync, run=chunk.run)


def _key(chunk: Chunk, row: Row | Result) -> str:
    return f"{chunk.sync}/{chunk.run}/{chunk.chunk}/{row.row}"
