"""Stops a plan that looks like a mistake before the CRM is touched, until somebody says that it is meant.

`outbound/<sync>/brake.json` says what is stopped and why; `accepted.json` what somebody said to go on with.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lakehouse import objects, telemetry
from lakehouse.outbound import log
from lakehouse.outbound.policy import BrakePolicy

if TYPE_CHECKING:
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.policies.definition import Contact
    from lakehouse.settings import Settings

Kind = Literal["empty_audience", "shrunken_audience", "first_run", "refusals"]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a plan comes to: who is selected and held, how many of those leave, and how many rows it writes.

    `contacted` is how many people the sync wrote to lately, `refused` how many of these refused or blocked it since.
    """

    selected: int
    held: int
    leaving: int
    to_send: int
    contacted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Brake:
    """Why a plan is stopped: `rows` of `out_of` leave, are written by a first run, or refused to be written to."""

    kind: Kind
    rows: int
    out_of: int

    def reason(self, sync: str) -> str:
        """Return what is stopped and what to do, for people."""
        what = {
            "empty_audience": f"nobody is selected, and all {self.out_of} whom the CRM holds would be taken off",
            "shrunken_audience": f"{self.rows} of the {self.out_of} whom the CRM holds would be taken off",
            "first_run": f"its first run would write {self.rows} rows",
            "refusals": f"{self.rows} of the {self.out_of} whom it wrote to lately refused or blocked it since",
        }[self.kind]
        return (
            f"{what}; nothing is written, and only who refuses is taken off, until "
            f"`lakehouse publish {sync} --accept` says that this is meant"
        )


def find_brake(sync: Sync, totals: Totals) -> Brake | None:
    """Return why a plan is to be stopped, None when it may go. Pure."""
    if are_too_many_refusals(sync.contact, totals.contacted, totals.refused):
        return Brake("refusals", totals.refused, totals.contacted)
    if not totals.held and totals.to_send > sync.brakes.first_run_rows:
        return Brake("first_run", totals.to_send, totals.selected)
    if sync.triggers or sync.duplicates:  # reasons come and go, all at once where it stops raining
        return None
    if totals.held and not totals.selected:
        return Brake("empty_audience", totals.leaving, totals.held)
    is_many = totals.leaving > sync.brakes.leaving_rows
    if is_many and totals.leaving > sync.brakes.leaving_share * totals.held:
        return Brake("shrunken_audience", totals.leaving, totals.held)
    return None


def are_too_many_refusals(contact: Contact | None, contacted: int, refused: int) -> bool:
    """Return whether more of those who were written to refused than the sync's file allows; of few nothing is said."""
    limit = contact.refusals if contact is not None else None
    if limit is None or contacted < limit.least_contacted:
        return False
    return refused > limit.share * contacted


def is_accepted(brake: Brake, accepted: dict[str, Any], now: datetime) -> bool:
    """Return whether somebody said to go on with as much as this, not too long ago. Pure."""
    try:
        age = now - datetime.fromisoformat(accepted["at"])
        enough = accepted["kind"] == brake.kind and brake.rows <= accepted["rows"]
    except (KeyError, TypeError, ValueError):
        return False
    return enough and age < BrakePolicy.acceptance


def put_on(settings: Settings, sync: str, brake: Brake, now: datetime) -> None:
    """Write down that a sync's plan is stopped."""
    telemetry.warn("a sync is stopped", sync=sync, reason=brake.reason(sync))
    objects.put(
        settings.ops_bucket, _brake_key(sync), json.dumps({**asdict(brake), "at": now.isoformat()}).encode()
    )


def take_off(settings: Settings, sync: str) -> None:
    """Write down that a sync's plan is not stopped any more; what was accepted is used up by that."""
    if standing(settings, sync) is None:
        return
    for key in (_accepted_key(sync), _brake_key(sync)):
        objects.put(settings.ops_bucket, key, b"{}")


def standing(settings: Settings, sync: str) -> tuple[Brake, str] | None:
    """Return why a sync's plan is stopped and since when (ISO-8601); None when it is not."""
    found = _read(settings, _brake_key(sync))
    try:
        return Brake(found["kind"], found["rows"], found["out_of"]), found["at"]
    except (KeyError, TypeError):
        return None


def all_standing(settings: Settings) -> dict[str, dict[str, str]]:
    """Return `kind`, `reason` and `since` of each sync that is stopped, by its name."""
    found = {name: standing(settings, name) for name in log.syncs(settings)}
    return {
        name: {"kind": stopped[0].kind, "reason": stopped[0].reason(name), "since": stopped[1]}
        for name, stopped in found.items()
        if stopped is not None
    }


def accept(settings: Settings, sync: str, now: datetime, by: str) -> Brake | None:
    """Say that a stopped plan is meant; return what was accepted, None where nothing is stopped."""
    stopped = standing(settings, sync)
    if stopped is None:
        return None
    brake = stopped[0]
    body = {"kind": brake.kind, "rows": brake.rows, "at": now.isoformat(), "by": by}
    objects.put(settings.ops_bucket, _accepted_key(sync), json.dumps(body).encode())
    return brake


def accepted(settings: Settings, sync: str) -> dict[str, Any]:
    """Return what somebody said to go on with; empty where nobody did."""
    return _read(settings, _accepted_key(sync))


def _read(settings: Settings, key: str) -> dict[str, Any]:
    try:
        return objects.get_json(settings.ops_bucket, key, dict, "it counts as not there") or {}
    except objects.DamagedObjectError:
        return {}


def _brake_key(sync: str) -> str:
    return f"{log.ROOT}{sync}/brake.json"


def _accepted_key(sync: str) -> str:
    return f"{log.ROOT}{sync}/accepted.json"
