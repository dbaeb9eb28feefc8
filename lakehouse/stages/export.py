"""The export stage: segments now, and what each sync has to send to its CRM because of them."""

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
from lakehouse.tables.contracts import CONSENTS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Desired
    from lakehouse.settings import Settings


def export(settings: Settings) -> segments.Refresh:
    """Refresh the segments and plan a run of every sync that has news; open chunks are announced again."""
    refreshed = segments.refresh(settings)
    if not refreshed.inputs:
        return refreshed  # nothing was computed yet: an empty audience would remove everybody
    for sync in load_syncs(settings.definitions).values():
        now = datetime.now(UTC)
        inputs = _inputs(settings, refreshed.inputs)
        plan_of = _plan_of(settings, sync, inputs, now)
        if not _settled(settings, sync, plan_of, now):
            run = plan_run(settings, sync, _desired(settings, sync), now, inputs)
            if run is None or {"inputs": run.inputs, "definition": run.definition} == plan_of:
                _note(settings, sync, plan_of, now)
    return refreshed


def pending(settings: Settings) -> bool:
    """Return whether segments, or what a CRM knows of them, are not up to date, or chunks wait for an outcome.

    Asking the segments alone would not do: a run may have died between them and the plan, a row that failed may
    be due again, and consents may have changed.
    """
    if segments.pending(settings):
        return True
    computed_from = segments.inputs(settings)
    if not computed_from:
        return False
    now = datetime.now(UTC)
    inputs = _inputs(settings, computed_from)
    syncs = load_syncs(settings.definitions).values()
    return any(not _settled(settings, sync, _plan_of(settings, sync, inputs, now), now) for sync in syncs)


def due_since(standing: acknowledged.Standing, sync: Sync, noted: datetime, now: datetime) -> bool:
    """Return whether the time of a row that was missed has come since `noted`."""
    wait = timedelta(hours=sync.retry_failed_after_hours)
    due = (datetime.fromisoformat(missed.at) + wait for missed in standing.state.missed.values())
    return any(noted < moment <= now for moment in due)


def _desired(settings: Settings, sync: Sync) -> Iterable[Desired]:
    return sync.desired(audience(settings, sync.segments, sync.purpose, sync.channel))


def _inputs(settings: Settings, computed_from: dict[str, str]) -> dict[str, str]:
    """Return the state of all that an audience is made of."""
    catalog = catalogs.open_catalog(settings)
    heads = {name: commit.head(catalogs.load(catalog, name)) for name in (CUSTOMERS.name, CONSENTS.name)}
    return {**computed_from, **heads}


def _plan_of(settings: Settings, sync: Sync, inputs: dict[str, str], now: datetime) -> dict[str, Any]:
    """Return all that a plan depends on, besides what the CRM has acknowledged."""
    generation = consent.generation(settings, now)
    return {"inputs": {**inputs, "consent": generation}, "definition": sync.fingerprint}


def _settled(settings: Settings, sync: Sync, plan_of: Mapping[str, Any], now: datetime) -> bool:
    """Return whether planning would bring no news: it was done for all this, and nothing is open or due since."""
    body = objects.get(settings.ops_bucket, _note_key(sync))
    note = json.loads(body) if body else {}
    if note.get("seen") != plan_of:
        return False
    standing = acknowledged.load(settings, sync.name, renew=False)
    return not standing.open_chunks and not due_since(standing, sync, datetime.fromisoformat(note["at"]), now)


def _note(settings: Settings, sync: Sync, plan_of: Mapping[str, Any], now: datetime) -> None:
    """Note what was planned for; losing the note costs one more comparison."""
    body = json.dumps({"seen": plan_of, "at": now.isoformat()}).encode()
    objects.put(settings.ops_bucket, _note_key(sync), body)


def _note_key(sync: Sync) -> str:
    return f"outbound/{sync.name}/planned.json"
