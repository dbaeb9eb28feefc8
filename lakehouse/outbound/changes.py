"""What there is to send: what the CRM should hold, less what it has acknowledged. Pure; no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.outbound.acknowledged import stray_key
from lakehouse.outbound.records import PROJECTION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lakehouse.outbound.acknowledged import Acknowledged, Missed, State, Stray
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Action, Desired


@dataclass(frozen=True, slots=True)
class Change:
    """One row to send; its fields are those of `Row`."""

    action: Action
    customer_id: str
    id: str
    properties: dict[str, str]
    crm_id: str = ""
    stray: bool = False
    address: str = ""


@dataclass(slots=True)
class Changes:
    """What to send and, for everybody else who was selected, why not (customer ids).

    Rows that were missed before wait for their time: `failed_waiting`, `withheld_waiting` (for want of consent) and
    `projection_waiting` (consent could not be asked). `leaving` are those of the removals that no refusal is the reason
    of, nor a record that an address leads to no more.
    """

    selected: int = 0
    upserts: list[Change] = field(default_factory=list)
    removals: list[Change] = field(default_factory=list)
    unchanged: int = 0
    unknown: int = 0
    failed_waiting: list[str] = field(default_factory=list)
    withheld_waiting: list[str] = field(default_factory=list)
    projection_waiting: list[str] = field(default_factory=list)
    no_consent: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    no_address: list[str] = field(default_factory=list)
    same_address: list[str] = field(default_factory=list)
    leaving: int = 0

    @property
    def rows(self) -> list[Change]:
        """Return the rows to send, removals first, in an order that the same changes always have."""
        return sorted(self.removals, key=_order) + sorted(self.upserts, key=_order)


@dataclass(slots=True)
class Selection:
    """Who was selected, one customer an address; the others by the reason for which they are left out."""

    selected: int = 0
    by_address: dict[str, Desired] = field(default_factory=dict)
    no_address: list[str] = field(default_factory=list)
    same_address: list[str] = field(default_factory=list)


def find_changes(
    sync: Sync, desired: Iterable[Desired], state: State, now: datetime, inputs_moved: bool
) -> Changes:
    """Return what there is to send now.

    A customer who is known to have no consent is withheld and, if the CRM holds a row, leaves it. A row that was
    missed waits until the inputs have moved or the sync's time has passed.
    """
    selection = select_addresses(desired)
    waiting = {} if inputs_moved else rows_that_wait(sync, state.missed, now)
    changes = Changes(
        selected=selection.selected, no_address=selection.no_address, same_address=selection.same_address
    )
    for address, person in selection.by_address.items():
        if person.consented:
            _add_person(changes, sync, address, person, state.acknowledged.get(address), waiting.get(address))
        else:
            (changes.erased if person.erased else changes.no_consent).append(person.customer_id)
    for address, acknowledged in state.acknowledged.items():
        person_there = selection.by_address.get(address)
        if person_there is None:
            changes.leaving += 1
        if person_there is None or not person_there.consented:
            _add_removal(changes, sync, address, acknowledged, waiting.get(address))
    for crm_id, stray in state.strays.items():
        _add_stray(changes, sync, crm_id, stray, waiting.get(stray_key(crm_id)))
    return changes


def find_refusals(
    sync: Sync, allowed: Collection[tuple[str, str]], state: State, now: datetime, inputs_moved: bool
) -> Changes:
    """Return only the removals of people who do not consent any more: for a sync that may not write now.

    `allowed` has customer and address of all who do.
    """
    waiting = {} if inputs_moved else rows_that_wait(sync, state.missed, now)
    changes = Changes()
    for address, acknowledged in state.acknowledged.items():
        if (acknowledged.customer_id, acknowledged.address or address) not in allowed:
            _add_removal(changes, sync, address, acknowledged, waiting.get(address))
    return changes


def select_addresses(desired: Iterable[Desired]) -> Selection:
    """Choose one customer an address.

    Of several customers with one address, the one with the smallest id is sent: HubSpot refuses an address that
    comes twice.
    """
    selection = Selection()
    for person in desired:
        selection.selected += 1
        if person.id is None:
            selection.no_address.append(person.customer_id)
            continue
        other = selection.by_address.get(person.id)
        if other is None:
            selection.by_address[person.id] = person
        elif person.customer_id < other.customer_id:
            selection.by_address[person.id] = person
            selection.same_address.append(other.customer_id)
        else:
            selection.same_address.append(person.customer_id)
    return selection


def rows_that_wait(sync: Sync, missed: Mapping[str, Missed], now: datetime) -> dict[str, Missed]:
    """Return the rows that were missed and whose time to go again has not come, by address.

    One that was missed in the future (the clock was set back since) does not wait.
    """
    wait = timedelta(hours=sync.retry_failed_after_hours)
    return {
        address: row
        for address, row in missed.items()
        if datetime.fromisoformat(row.at) <= now < datetime.fromisoformat(row.at) + wait
    }


def _add_person(
    changes: Changes,
    sync: Sync,
    address: str,
    person: Desired,
    acknowledged: Acknowledged | None,
    waiting: Missed | None,
) -> None:
    """Add somebody whom the CRM should know: to be written, or why not."""
    if (
        acknowledged is not None
        and not acknowledged.uncertain
        and _holds(sync, acknowledged, person.properties)
    ):
        if acknowledged.unknown:
            changes.unknown += 1
        else:
            changes.unchanged += 1
        return
    cleared = _cleared(sync, acknowledged) if acknowledged is not None else {}
    written = cleared | person.properties
    if waiting is not None and waiting.is_of("upsert", written):
        _waiting_list(changes, waiting).append(person.customer_id)
    else:
        changes.upserts.append(Change("upsert", person.customer_id, address, written, address=person.address))


def _add_removal(
    changes: Changes, sync: Sync, address: str, acknowledged: Acknowledged, waiting: Missed | None
) -> None:
    """Add somebody whom the CRM should no longer know, unless the removal failed and waits for its time."""
    cleared = _cleared(sync, acknowledged)
    if waiting is None or not waiting.is_of("remove", cleared):
        changes.removals.append(
            Change("remove", acknowledged.customer_id, address, cleared, acknowledged.crm_id)
        )


def _add_stray(changes: Changes, sync: Sync, crm_id: str, stray: Stray, waiting: Missed | None) -> None:
    """Add a record to be cleared that its address leads to no more, unless that failed and waits for its time."""
    cleared = _cleared(sync, stray)
    if waiting is None or not waiting.is_of("remove", cleared):
        changes.removals.append(Change("remove", stray.customer_id, stray.id, cleared, crm_id, stray=True))


def _waiting_list(changes: Changes, missed: Missed) -> list[str]:
    if missed.status == "failed":
        return changes.failed_waiting
    return changes.projection_waiting if missed.code == PROJECTION else changes.withheld_waiting


def _cleared(sync: Sync, acknowledged: Acknowledged | Stray) -> dict[str, str]:
    """Return what takes a customer off: every property we ever wrote there, also of an earlier definition."""
    return dict.fromkeys([*acknowledged.properties, *sync.properties], sync.removed)


def _holds(sync: Sync, acknowledged: Acknowledged, properties: Mapping[str, str]) -> bool:
    """Return whether the CRM holds these properties; those that the sync no longer writes have to be cleared."""
    return acknowledged.properties == dict.fromkeys(acknowledged.properties, sync.removed) | dict(properties)


def _order(change: Change) -> tuple[str, str, str]:
    return change.customer_id, change.id, change.crm_id
