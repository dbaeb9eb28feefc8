"""What there is to send: what the CRM should hold, less what it has acknowledged. Pure; no clock, no I/O."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.outbound.acknowledged import Acknowledged, Missed, State
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Action, Desired


@dataclass(frozen=True, slots=True)
class Change:
    """One row to send."""

    action: Action
    customer_id: str
    id: str
    properties: dict[str, str]


@dataclass(slots=True)
class Changes:
    """What to send and, for everybody else who was selected, why not (customer ids)."""

    selected: int = 0
    upserts: list[Change] = field(default_factory=list)
    removals: list[Change] = field(default_factory=list)
    unchanged: int = 0
    unknown: int = 0
    failed_waiting: list[str] = field(default_factory=list)
    withheld_waiting: list[str] = field(default_factory=list)
    no_consent: list[str] = field(default_factory=list)
    no_address: list[str] = field(default_factory=list)
    same_address: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[Change]:
        """Return the rows to send, in an order that the same changes always have."""
        ordered = sorted(self.upserts, key=lambda c: (c.customer_id, c.id))
        return sorted(self.removals, key=lambda c: (c.customer_id, c.id)) + ordered

    @property
    def audience(self) -> str:
        """Return a hash of how many were selected and who is left out, to see whether that is news."""
        left_out = [sorted(self.no_consent), sorted(self.no_address), sorted(self.same_address)]
        return hashlib.sha256(json.dumps([self.selected, *left_out]).encode()).hexdigest()


def find_changes(
    sync: Sync, desired: Iterable[Desired], state: State, now: datetime, inputs_moved: bool
) -> Changes:
    """Return what there is to send now.

    Of several customers with one address, the one with the smallest id is sent: HubSpot refuses an address
    that comes twice. A customer who is known to have no consent is withheld and, if the CRM holds a row,
    leaves it. A row that was missed waits until the inputs have moved or the sync's time has passed.
    """
    changes = Changes()
    by_address = _by_address(desired, changes)

    def waits(address: str, action: Action, properties: dict[str, str]) -> Missed | None:
        missed = state.missed.get(address)
        same = missed is not None and (missed.action, missed.properties) == (action, properties)
        due = inputs_moved or missed is None or _due(sync, missed, now)
        return missed if same and not due else None

    for address, wanted in by_address.items():
        held = state.acknowledged.get(address)
        if not wanted.consented:
            changes.no_consent.append(wanted.customer_id)
        elif held is not None and _holds(sync, held, wanted.properties):
            changes.unknown += held.unknown
            changes.unchanged += not held.unknown
        elif missed := waits(address, "upsert", wanted.properties):
            waiting = changes.failed_waiting if missed.status == "failed" else changes.withheld_waiting
            waiting.append(wanted.customer_id)
        else:
            written = _cleared(sync, held) | wanted.properties if held else wanted.properties
            changes.upserts.append(Change("upsert", wanted.customer_id, address, written))

    for address, held in state.acknowledged.items():
        stays = address in by_address and by_address[address].consented
        cleared = _cleared(sync, held)
        if not stays and not waits(address, "remove", cleared):
            changes.removals.append(Change("remove", held.customer_id, address, cleared))
    return changes


def _due(sync: Sync, missed: Missed, now: datetime) -> bool:
    return datetime.fromisoformat(missed.at) + timedelta(hours=sync.retry_failed_after_hours) <= now


def _cleared(sync: Sync, held: Acknowledged) -> dict[str, str]:
    """Return what takes a customer off: every property we ever wrote there, also of an earlier definition."""
    return dict.fromkeys([*held.properties, *sync.properties], sync.removed)


def _holds(sync: Sync, held: Acknowledged, wanted: dict[str, str]) -> bool:
    """Return whether the CRM holds what is wanted; properties that are no longer ours have to be cleared."""
    return held.properties == dict.fromkeys(held.properties, sync.removed) | wanted


def _by_address(desired: Iterable[Desired], changes: Changes) -> dict[str, Desired]:
    """Return one customer an address, noting in `changes` who is left out."""
    chosen: dict[str, Desired] = {}
    for wanted in desired:
        changes.selected += 1
        if wanted.id is None:
            changes.no_address.append(wanted.customer_id)
            continue
        other = chosen.get(wanted.id)
        if other is None or wanted.customer_id < other.customer_id:
            chosen[wanted.id] = wanted
        if other is not None:
            changes.same_address.append(max(wanted.customer_id, other.customer_id))
    return chosen
