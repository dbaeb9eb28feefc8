"""What a plan would send, for people to look at before it is sent: counts, some rows with names masked, and reasons."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lakehouse.outbound.definition import template_columns
from lakehouse.outbound.planner import Planning
from lakehouse.outbound.policies import at_sending
from lakehouse.outbound.policy import ContactPolicy

if TYPE_CHECKING:
    from datetime import datetime

    from lakehouse.outbound.changes import Change
    from lakehouse.outbound.comparison import Comparison, Lane, Mode
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.planner import Request
    from lakehouse.settings import Settings

SAMPLE_ROWS: Final = 5
# Columns that say who somebody is, or quote them.
PERSONAL: Final = frozenset(
    {"name", "first_name", "last_name", "email", "phone", "channel_address", "about", "recent_activities"}
)
_ID: Final = re.compile(r"(?:^|[a-z_])id$")  # a type of identifiers: user_id, wechat_unionid
_REASONS = {
    "no_consent": "consent",
    "erased": "erased",
    "suppressed": "suppressed",
    "control": "control",
    "quiet_waiting": "quiet_hours",
    "cap_waiting": "cap",
    "no_address": "no_address",
    "no_owner": "no_owner",
    "same_address": "same_address",
    "failed_waiting": "failed, waits",
    "withheld_waiting": "consent, waits",
    "projection_waiting": "projection, waits",
    "unknown": "sent, never answered",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan would send now. `in_flight` are the chunks of the latest run that are open still.

    `withheld` has how many are not sent by reason, `until` when the first and the last of them go again, where that is
    known (ISO-8601). `not_asked`: of so many rows the ledger of contacts was not asked, which is done when they are
    sent. `stopped` says why a brake would stop it, or why its destination may not be reached ("": it goes). Samples are
    rows as JSON, without anybody's name or values of theirs. `properties` are those that would be made in the CRM; None
    where none is to be made, or it could not be asked.
    """

    sync: str
    selected: int
    held: int
    unchanged: int
    to_send: int
    to_remove: int
    withheld: dict[str, int]
    until: dict[str, list[str]]
    not_asked: int
    in_flight: int
    stopped: str
    samples: dict[str, list[dict[str, Any]]]
    properties: list[str] | None = None


def preview(settings: Settings, request: Request, now: datetime) -> Preview:
    """Return what `plan` would send; nothing is written, and the CRM is not asked."""
    planning = Planning(settings, request, now, dry=True)
    mode: Mode = "full" if request.desired is not None else "refusals"
    with planning.compared(mode) as comparison:
        brake = planning.brake(comparison)
        counts = comparison.counts
        withheld = Counter({reason: counts[name] for name, reason in _REASONS.items() if counts[name]})
        until = {reason: list(span) for reason, span in comparison.until.items()}
        rows = comparison.rows("upserts")
        foreseen = at_sending.foresee(settings, request.sync, islice(rows, ContactPolicy.preview_rows), now)
        for reason in foreseen:
            withheld[reason.code] += 1
            if reason.until is not None:
                until.setdefault(reason.code, []).append(reason.until.isoformat())
        is_asked = request.sync.contact is not None and request.sync.contact.cap is not None
        return Preview(
            sync=request.sync.name,
            selected=counts["selected"],
            held=comparison.held,
            unchanged=counts["unchanged"],
            to_send=counts["upserts"] - len(foreseen),
            to_remove=counts["removals"],
            withheld=dict(withheld),
            until={reason: [min(moments), max(moments)] for reason, moments in until.items()},
            not_asked=max(counts["upserts"] - ContactPolicy.preview_rows, 0) if is_asked else 0,
            in_flight=len(planning.standing.open_chunks),
            stopped=brake.reason(request.sync.name) if brake else "",
            samples={lane: _samples(request.sync, comparison, lane) for lane in ("upserts", "removals")},
        )


def masked(address: str) -> str:
    """Return an address that nobody can write to: the first letter of its name, and the last part of its domain."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}…@….{domain.rpartition('.')[2]}"
    return f"…{address[-2:]}"


def _samples(sync: Sync, comparison: Comparison, lane: Lane) -> list[dict[str, Any]]:
    return [_sample(sync, change) for change in islice(comparison.rows(lane), SAMPLE_ROWS)]


def _sample(sync: Sync, change: Change) -> dict[str, Any]:
    """Return a row without what says who it is.

    Of a value that is made of a name, an address or a phone, only what it is made of is shown; another one that holds
    an address is masked.
    """
    values = {
        name: masked(value) if "@" in value else value for name, value in sorted(change.properties.items())
    }
    for name in change.properties:
        if value := values[name]:
            template = sync.properties.get(name, "")
            columns = template_columns(template)
            is_personal = PERSONAL.intersection(columns) or any(map(_ID.search, columns))
            values[name] = (template if "{" in template else f"{{{template}}}") if is_personal else value
    return {"customer": f"{change.customer_id[:8]}…", "id": masked(change.id), "properties": values}
