"""What there is to send: what the CRM should hold, less what it has acknowledged. Pure; no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.outbound import guarded
from lakehouse.outbound.acknowledged import stray_key
from lakehouse.outbound.policies.at_planning import reason_to_leave_out
from lakehouse.outbound.policies.reasons import (
    CAP,
    CONSENT,
    CONTROL,
    ERASED,
    NO_OWNER,
    PROJECTION,
    QUIET_HOURS,
    SUPPRESSED,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lakehouse.outbound.acknowledged import Acknowledged, Missed, State, Stray
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.policies.reasons import Reason
    from lakehouse.outbound.records import Action, Desired


# Who is left out for one of these leaves by a definition of ours, which may be a mistake: the brakes look at them.
_OUR_CHOICE = frozenset({SUPPRESSED, CONTROL, NO_OWNER})
# Who is left out for one of these is taken off also by a sync that else keeps what it wrote.
_REFUSALS = frozenset({CONSENT, ERASED})


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
    facts: dict[str, Any] = field(default_factory=dict)
    guards: dict[str, list[str]] = field(default_factory=dict)
    about: str = ""


@dataclass(slots=True)
class Changes:
    """What to send and, for everybody else who was selected, why not (customer ids).

    Rows that were missed before wait for their time: `failed_waiting`, `withheld_waiting` (for want of consent),
    `projection_waiting` (consent could not be asked), `quiet_waiting` and `cap_waiting`. `left_out_by` has the row that
    says why somebody is left out, by customer id, where one does. `leaving` are those of the removals that no refusal
    is the reason of, nor a record that an address leads to no more.
    """

    selected: int = 0
    upserts: list[Change] = field(default_factory=list)
    removals: list[Change] = field(default_factory=list)
    unchanged: int = 0
    unknown: int = 0
    failed_waiting: list[str] = field(default_factory=list)
    withheld_waiting: list[str] = field(default_factory=list)
    projection_waiting: list[str] = field(default_factory=list)
    quiet_waiting: list[str] = field(default_factory=list)
    cap_waiting: list[str] = field(default_factory=list)
    no_consent: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)
    control: list[str] = field(default_factory=list)
    no_address: list[str] = field(default_factory=list)
    same_address: list[str] = field(default_factory=list)
    no_owner: list[str] = field(default_factory=list)
    left_out_by: dict[str, str] = field(default_factory=dict)
    leaving: int = 0

    def leave_out(self, person: Desired, reason: Reason) -> None:
        """Add somebody whom the CRM should not hold."""
        lists = {
            ERASED: self.erased,
            SUPPRESSED: self.suppressed,
            CONTROL: self.control,
            NO_OWNER: self.no_owner,
        }
        lists.get(reason.code, self.no_consent).append(person.customer_id)
        if reason.by:
            self.left_out_by[person.customer_id] = reason.by

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

    A customer whom a policy leaves out is withheld and, if the CRM holds a row, leaves it. A row that was missed waits
    until the inputs have moved or the sync's time has passed.
    """
    selection = select_addresses(desired)
    waiting = rows_that_wait(sync, state.missed, now, inputs_moved)
    changes = Changes(
        selected=selection.selected, no_address=selection.no_address, same_address=selection.same_address
    )
    left_out: dict[str, Reason] = {}
    for address, person in selection.by_address.items():
        reason = reason_to_leave_out(person)
        if reason is None:
            _add_person(changes, sync, address, person, state.acknowledged.get(address), waiting.get(address))
        else:
            left_out[address] = reason
            changes.leave_out(person, reason)
    staying = selection.by_address.keys() - left_out.keys()
    for address, acknowledged in state.acknowledged.items():
        reason = left_out.get(address)
        if address in staying or not _leaves(sync, acknowledged, reason):
            continue
        if reason is None or reason.code in _OUR_CHOICE:
            changes.leaving += 1
        _add_removal(changes, sync, address, acknowledged, waiting.get(address))
    for crm_id, stray in state.strays.items():
        _add_stray(changes, sync, crm_id, stray, waiting.get(stray_key(crm_id)))
    return changes


def _leaves(sync: Sync, acknowledged: Acknowledged, reason: Reason | None) -> bool:
    """Return whether what is not wanted any more is taken off; a sync that keeps what it wrote does so of refusals."""
    has_refused = reason is not None and reason.code in _REFUSALS
    return not acknowledged.closed and (sync.removal != "keep" or has_refused)


def find_refusals(
    sync: Sync, allowed: Collection[tuple[str, str]], state: State, now: datetime, inputs_moved: bool
) -> Changes:
    """Return only the removals of people who do not consent any more: for a sync that may not write now.

    `allowed` has customer and address of all who do.
    """
    waiting = rows_that_wait(sync, state.missed, now, inputs_moved)
    changes = Changes()
    for address, acknowledged in state.acknowledged.items():
        is_allowed = (acknowledged.customer_id, acknowledged.address or address) in allowed
        if not is_allowed and not acknowledged.closed:
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


def rows_that_wait(
    sync: Sync, missed: Mapping[str, Missed], now: datetime, inputs_moved: bool
) -> dict[str, Missed]:
    """Return the rows that were missed and whose time to go again has not come, by address.

    When the inputs have moved, only those wait that were withheld until a moment. One that was missed in the future
    (the clock was set back since) does not wait.
    """
    return {
        address: row
        for address, row in missed.items()
        if (row.until or not inputs_moved)
        and datetime.fromisoformat(row.at) <= now < row.goes_again(sync.retry_failed_after_hours)
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
    wanted = _without_theirs(sync, person.properties, acknowledged)
    if acknowledged is not None and _is_held(acknowledged) and _holds(sync, acknowledged, wanted):
        if acknowledged.unknown:
            changes.unknown += 1
        else:
            changes.unchanged += 1
        return
    cleared = dict.fromkeys(_written(sync, acknowledged), sync.removed) if acknowledged is not None else {}
    written = _without_theirs(sync, cleared, acknowledged) | wanted
    if waiting is not None and waiting.is_of("upsert", written):
        _waiting_list(changes, waiting).append(person.customer_id)
    else:
        changes.upserts.append(
            Change(
                "upsert",
                person.customer_id,
                address,
                written,
                crm_id=acknowledged.crm_id if acknowledged is not None and sync.kind is not None else "",
                address=person.address,
                facts=person.facts,
                guards=guarded.guards_of(sync.guarded.intersection(written), acknowledged),
                about=person.about,
            )
        )


def _is_held(acknowledged: Acknowledged) -> bool:
    return not acknowledged.uncertain and not acknowledged.closed


def _without_theirs(
    sync: Sync, properties: Mapping[str, str], acknowledged: Acknowledged | None
) -> dict[str, str]:
    """Return properties without those that a person holds: none is left once somebody works on a task or ticket."""
    theirs = acknowledged.theirs if acknowledged is not None else ()
    if sync.kind is not None and sync.kind.state in theirs:
        return {}
    return {name: value for name, value in properties.items() if name not in theirs}


def _add_removal(
    changes: Changes, sync: Sync, address: str, acknowledged: Acknowledged, waiting: Missed | None
) -> None:
    """Add somebody whom the CRM should no longer know, unless the removal failed and waits for its time."""
    cleared = _without_theirs(sync, _cleared(sync, acknowledged), acknowledged)
    if waiting is None or not waiting.is_of("remove", cleared):
        names = sync.guarded.union(sync.closed).intersection({*cleared, *acknowledged.properties})
        guards = guarded.guards_of(names if sync.guarded else (), acknowledged)
        guards |= {name: [] for name in acknowledged.theirs}  # whatever stands there is a person's
        removal = Change(
            "remove", acknowledged.customer_id, address, cleared, acknowledged.crm_id, guards=guards
        )
        changes.removals.append(removal)


def _add_stray(changes: Changes, sync: Sync, crm_id: str, stray: Stray, waiting: Missed | None) -> None:
    """Add a record to be cleared that its address leads to no more, unless that failed and waits for its time."""
    cleared = _cleared(sync, stray)
    if waiting is None or not waiting.is_of("remove", cleared):
        changes.removals.append(Change("remove", stray.customer_id, stray.id, cleared, crm_id, stray=True))


def _waiting_list(changes: Changes, missed: Missed) -> list[str]:
    if missed.status == "failed":
        return changes.failed_waiting
    lists = {
        PROJECTION: changes.projection_waiting,
        QUIET_HOURS: changes.quiet_waiting,
        CAP: changes.cap_waiting,
    }
    return lists.get(missed.code, changes.withheld_waiting)


def _cleared(sync: Sync, acknowledged: Acknowledged | Stray) -> dict[str, str]:
    """Return what takes a customer off: every property we ever wrote there, also of an earlier definition.

    A record that is closed gets what the sync says closes it; one that is archived, nothing.
    """
    if sync.removal == "close":
        return dict(sync.closed)
    if sync.kind is not None:
        return {}
    return dict.fromkeys(_written(sync, acknowledged), sync.removed)


def _written(sync: Sync, acknowledged: Acknowledged | Stray) -> list[str]:
    return [*acknowledged.properties, *sync.written]


def _holds(sync: Sync, acknowledged: Acknowledged, properties: Mapping[str, str]) -> bool:
    """Return whether the CRM holds these properties; those that the sync no longer writes have to be cleared."""
    return acknowledged.properties == dict.fromkeys(acknowledged.properties, sync.removed) | dict(properties)


def _order(change: Change) -> tuple[str, str, str]:
    return change.customer_id, change.id, change.crm_id
