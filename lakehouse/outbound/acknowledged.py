"""What the CRM has acknowledged: a fold of the outcomes of every run, row by row. Pure.

What may have been written counts as written until it is known not to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.outbound import guarded
from lakehouse.outbound.records import Action, Result, Row, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the CRM holds for one address, as it last said. `unknown`: sent, but it never answered.

    `uncertain`: an attempt that broke off may have written `properties`, or something else may have cleared them. It
    counts as written, so that it is taken off again, and not as held, so that who should be written is written again.
    `address`: the one that the channel writes to ("": the one it is held for). Of guarded properties (`guarded`)
    `maybe` has further values that the CRM may hold by us, and `theirs` those that a person changed: they are not
    written again. `closed`: it was closed or cleared, is not held any more, and what is known of it counts should it
    come back.
    """

    customer_id: str
    properties: dict[str, str]
    crm_id: str = ""
    unknown: bool = False
    uncertain: bool = False
    address: str = ""
    maybe: dict[str, list[str]] = field(default_factory=dict)
    theirs: list[str] = field(default_factory=list)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Stray:
    """A record that holds our properties, and to which the address `id` leads no more: another one took its place."""

    id: str
    customer_id: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class Missed:
    """A row that did not arrive: why, when (ISO-8601), and what it would have written.

    `until`: it was withheld until then (ISO-8601; "": no such moment is known).
    """

    action: Action
    status: Status
    code: str
    at: str
    properties: dict[str, str]
    until: str = ""

    def is_of(self, action: Action, properties: Mapping[str, str]) -> bool:
        """Return whether this is the row that would be sent: the same action with the same properties.

        One that is withheld until a moment is so whatever it would write: the moment is the person's, not the text's.
        """
        return self.action == action and (bool(self.until) or self.properties == properties)

    def goes_again(self, after_hours: float) -> datetime:
        """Return when it goes again; `after_hours` where no moment is known until which it was withheld."""
        if self.until:
            return datetime.fromisoformat(self.until)
        return datetime.fromisoformat(self.at) + timedelta(hours=after_hours)


@dataclass(slots=True)
class State:
    """The fold up to the run `through` ("": none), of a whole sync or of one shard of its addresses.

    `acknowledged` and `missed` go by the CRM's id for a person, the address; of a stray record `missed` goes by
    `stray_key`. `strays` goes by record id. `left_out` has the reason for which a customer is left out
    (`Reason.text`), by customer id.
    """

    through: str = ""
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    missed: dict[str, Missed] = field(default_factory=dict)
    strays: dict[str, Stray] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def fold(self, row: Row, result: Result, at: str) -> None:
        """Add what became of one row; `at` is when, in ISO-8601."""
        if row.stray:
            self._fold_stray(row, result, at)
            return
        self.missed.pop(row.id, None)
        match result.status:
            case "removed":
                self._fold_removed(row, result)
            case "sent":
                self._fold_sent(row, result)
            case "unknown" if row.action == "remove":  # at most once: it is not cleared again
                self.acknowledged.pop(row.id, None)
            case "unknown":
                self.acknowledged[row.id] = Acknowledged(
                    row.customer_id, row.properties, unknown=True, address=row.address
                )
            case "failed" | "withheld":
                if result.uncertain:
                    self.fold_uncertain(row)
                self.missed[row.id] = Missed(
                    row.action, result.status, result.code, at, row.properties, result.until
                )

    def fold_uncertain(self, row: Row) -> None:
        """Add a row of which nobody knows what became of it: the CRM holds what it held, or what the row would write.

        Of a removal nothing else changes: who is not known to be cleared is held.
        """
        if row.action != "upsert":
            if (held := self.acknowledged.get(row.id)) is not None and row.guards:
                self.acknowledged[row.id] = replace(held, maybe=guarded.after_uncertain_removal(held, row))
            return
        before = self.acknowledged.get(row.id, Acknowledged(row.customer_id, {}))
        self.acknowledged[row.id] = Acknowledged(
            row.customer_id,
            before.properties | row.properties,
            before.crm_id,
            uncertain=True,
            address=row.address,
            maybe=guarded.after_uncertain(before, row),
            theirs=before.theirs,
        )

    def disturb(self, records: Iterable[str]) -> None:
        """Let whoever else is held in records that were cleared count as uncertain: they were merged, or moved."""
        cleared = set(records)
        if not cleared:
            return
        for address, held in self.acknowledged.items():
            if held.crm_id in cleared:
                self.acknowledged[address] = replace(held, uncertain=True)

    def forget_moments(self) -> None:
        """Forget which rows were withheld until a moment: the policies are others now, and are asked again."""
        self.missed = {key: row for key, row in self.missed.items() if not row.until}

    def fold_left_out(self, reason: str, customer_id: str) -> None:
        """Add that a customer is left out for a reason ("": no longer)."""
        if reason:
            self.left_out[customer_id] = reason
        else:
            self.left_out.pop(customer_id, None)

    def _fold_removed(self, row: Row, result: Result) -> None:
        remembered = guarded.after_removed(self.acknowledged.pop(row.id, None), row, result)
        if remembered is not None:
            self.acknowledged[row.id] = remembered

    def _fold_sent(self, row: Row, result: Result) -> None:
        before = self.acknowledged.get(row.id)
        crm_id = result.crm_id
        known_id = before.crm_id if before is not None else ""
        if before is not None and known_id and crm_id and crm_id != known_id:
            self.strays[known_id] = Stray(row.id, before.customer_id, before.properties)
        self.strays.pop(crm_id, None)
        sent = Acknowledged(row.customer_id, row.properties, crm_id or known_id, address=row.address)
        self.acknowledged[row.id] = guarded.after_sent(before, sent, row, result)

    def _fold_stray(self, row: Row, result: Result, at: str) -> None:
        self.missed.pop(stray_key(row.crm_id), None)
        if result.status in ("removed", "unknown"):
            self.strays.pop(row.crm_id, None)
        else:
            self.missed[stray_key(row.crm_id)] = Missed(
                row.action, result.status, result.code, at, row.properties
            )

    def entries(self) -> int:
        """Return how many entries it has."""
        return len(self.acknowledged) + len(self.missed) + len(self.strays) + len(self.left_out)


def stray_key(crm_id: str) -> str:
    """Return the key in `missed` of a stray record; no address has such a one."""
    return f"#{crm_id}"


def cleared_records(result: Result) -> list[str]:
    """Return the ids of the records that a removal cleared, or may have cleared."""
    is_cleared = result.action == "remove" and (result.status == "removed" or result.uncertain)
    return [name for name in result.crm_id.split(",") if name] if is_cleared else []


def state_from_json(value: dict[str, Any]) -> State:
    """Read what `asdict` of a state wrote, of earlier releases too."""
    return State(
        value["through"],
        {address: Acknowledged(**entry) for address, entry in value["acknowledged"].items()},
        {address: Missed(**entry) for address, entry in value["missed"].items()},
        {crm_id: Stray(**entry) for crm_id, entry in value.get("strays", {}).items()},
        dict(value.get("left_out", {})),
    )
