"""The export stage: segments now, and what each sync has to tell its CRM because of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse import objects
from lakehouse.outbound import acknowledged
from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.planner import plan_run
from lakehouse.privacy import consent
from lakehouse.segments import refresh as segments
from lakehouse.segments.audience import audience
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.contracts import CUSTOMERS

if TYPE_CHECKING:
    from lakehouse.outbound.definition import Sync
    from lakehouse.settings import Settings


def export(settings: Settings) -> segments.Refresh:
    """Refresh the segments and plan a run of every sync that has news; open chunks are announced again."""
    found = segments.refresh(settings)
    if not found.inputs:
        return found  # nothing was computed yet: an empty audience would remove everybody
    for sync in load_syncs(settings.definitions).values():
        now = datetime.now(UTC)
        inputs = _inputs(settings, found.inputs)
        seen = _seen(sync, inputs, now)
        if not _settled(settings, sync, seen, now):
            run = plan_run(sync, sync.desired(audience(settings, sync.segments)), now, inputs)
            if run is None or (run.inputs, run.definition) == (seen["inputs"], seen["definition"]):
                _note(settings, sync, seen, now)
    return found


def pending(settings: Settings) -> bool:
    """Return whether segments, or what a CRM knows of them, are not up to date, or chunks wait for an outcome.

    Asking the segments alone would not do: a run may have died between them and the plan, a row that failed may
    be due again, and consents may have changed.
    """
    if segments.pending(settings):
        return True
    if not (computed_from := segments.inputs(settings)):
        return False
    now = datetime.now(UTC)
    inputs = _inputs(settings, computed_from)
    syncs = load_syncs(settings.definitions).values()
    return not all(_settled(settings, sync, _seen(sync, inputs, now), now) for sync in syncs)


def _inputs(settings: Settings, computed_from: dict[str, str]) -> dict[str, str]:
    """Return the state of all that an audience is made of."""
    customers = catalogs.load(catalogs.open_catalog(settings), CUSTOMERS.name)
    return {**computed_from, CUSTOMERS.name: commit.head(customers)}


def _seen(sync: Sync, inputs: dict[str, str], now: datetime) -> dict[str, Any]:
    """Return all that a plan depends on, besides what the CRM has acknowledged."""
    return {"inputs": {**inputs, "consent": consent.generation(now)}, "definition": sync.fingerprint}


def _settled(settings: Settings, sync: Sync, seen: dict[str, Any], now: datetime) -> bool:
    """Return whether planning would bring no news: it was done for all this, and nothing is open or due since."""
    body = objects.get(settings.ops_bucket, _key(sync))
    note = json.loads(body) if body else {}
    if note.get("seen") != seen:
        return False
    standing = acknowledged.load(sync.name, renew=False)
    noted, wait = datetime.fromisoformat(note["at"]), timedelta(hours=sync.retry_failed_after_hours)
    due = (datetime.fromisoformat(missed.at) + wait for missed in standing.state.missed.values())
    return not standing.open_chunks and not any(noted < moment <= now for moment in due)


def _note(settings: Settings, sync: Sync, seen: dict[str, Any], now: datetime) -> None:
    """Note what was planned for; losing the note costs one more look."""
    objects.put(settings.ops_bucket, _key(sync), json.dumps({"seen": seen, "at": now.isoformat()}).encode())


def _key(sync: Sync) -> str:
    return f"outbound/{sync.name}/planned.json"
