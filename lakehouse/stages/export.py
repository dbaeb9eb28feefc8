"""The export stage: segments now, and what each sync has to send to its CRM because of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse import error_text, telemetry
from lakehouse.definitions import nearest
from lakehouse.errors import BadDefinition
from lakehouse.outbound import acknowledged, planning_note
from lakehouse.outbound.definition import load_syncs, wrong_syncs
from lakehouse.outbound.planner import plan_run
from lakehouse.outbound.planning_note import PlanningNote
from lakehouse.privacy import consent
from lakehouse.segments import refresh as segments
from lakehouse.segments.audience import audience
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.people import CONSENT_ANSWERS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lakehouse.outbound.acknowledged import Standing
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Desired
    from lakehouse.settings import Settings


def export(settings: Settings) -> segments.Refresh:
    """Refresh the segments and plan a run of every sync that has news; open chunks are announced again.

    A sync that cannot be planned, or a segment that cannot be asked, does not stop the others: it is logged, and the
    first error raised at the end.
    """
    refreshed = segments.refresh(settings)
    if not refreshed.inputs:
        return refreshed  # nothing was computed yet: an empty audience would remove everybody
    errors: list[Exception] = []
    for name, reason in refreshed.wrong.items():
        errors.append(BadDefinition(f"segment {name}: {reason}; it keeps its members"))
        telemetry.failed("a segment cannot be asked", errors[-1], reason=f"segment {name}: {reason}")
    for name, reason in wrong_syncs(settings.definitions).items():
        errors.append(BadDefinition(f"sync {name}: {reason}; nothing is sent and nobody taken off"))
        telemetry.failed("a sync cannot be read", errors[-1], reason=f"sync {name}: {reason}")
    for sync in load_syncs(settings.definitions).values():
        try:
            _check_segments(sync, refreshed.sizes)
            _plan(settings, sync, refreshed.inputs)
        except Exception as error:  # noqa: BLE001 - it is raised when the other syncs are planned
            reason = error_text.safe_text(error)
            telemetry.failed("a sync cannot be planned", error, sync=sync.name, reason=reason)
            errors.append(error)
    if errors:
        raise errors[0]
    return refreshed


def _check_segments(sync: Sync, known: Collection[str]) -> None:
    """Raise BadDefinition for a segment that is not defined: nobody is in it, and all would be taken off the CRM."""
    for name in sync.segments:
        if name not in known:
            raise BadDefinition(
                f"sync {sync.name}: segments: there is no segment {name}{nearest(name, sorted(known))}; "
                "nothing is sent and nobody taken off until it names one"
            )


def pending(settings: Settings) -> bool:
    """Return whether segments, or what a CRM knows of them, may not be up to date, or chunks wait for an outcome.

    Asking the segments alone would not do: a run may have died between them and the plan, a row that failed may
    be due again, and consents may have changed. What each sync was planned for stands in a small note; what its CRM has
    acknowledged, which may be a whole CRM, is not read: without a note that settles it, `export` has to look.
    """
    if segments.pending(settings):
        return True
    computed_from = segments.inputs(settings)
    if not computed_from:
        return False
    now = datetime.now(UTC)
    inputs = _inputs(settings, computed_from)
    for sync in load_syncs(settings.definitions).values():
        note = planning_note.read(settings, sync.name)
        if note is None or not note.settles(settings, sync.name, _plan_of(settings, sync, inputs, now), now):
            return True
    return False


def _plan(settings: Settings, sync: Sync, computed_from: dict[str, str]) -> None:
    """Plan a run of a sync, unless that was done for all there is now, and nothing is open or due since."""
    now = datetime.now(UTC)
    inputs = _inputs(settings, computed_from)
    plan_of = _plan_of(settings, sync, inputs, now)
    note = planning_note.read(settings, sync.name)
    if note is not None and note.settles(settings, sync.name, plan_of, now):
        if not note.folded:  # the next look need not list the run's chunks again
            planning_note.write(settings, sync.name, replace(note, folded=True))
        return
    standing = acknowledged.load(settings, sync.name)
    if _is_settled(note, plan_of, standing, sync, now):
        _note(settings, sync, plan_of, standing, now)
        return
    run = plan_run(settings, sync, _desired(settings, sync), now, inputs, standing)
    if run is None:
        _note(settings, sync, plan_of, standing, now)
    elif {"inputs": run.inputs, "definition": run.definition} == plan_of:
        due = planning_note.earliest_due(standing.state, sync, now)
        planned = PlanningNote(plan_of, now.isoformat(), run.run, folded=False, due=due.isoformat())
        planning_note.write(settings, sync.name, planned)


def _is_settled(
    note: PlanningNote | None, plan_of: Mapping[str, Any], standing: Standing, sync: Sync, now: datetime
) -> bool:
    """Return whether planning would bring no news, given all that the CRM has acknowledged."""
    if note is None or note.seen != plan_of or standing.open_chunks or note.is_from_future(now):
        return False
    due = planning_note.next_due(standing.state, sync, datetime.fromisoformat(note.at))
    return due is None or due > now


def _note(settings: Settings, sync: Sync, plan_of: dict[str, Any], standing: Standing, now: datetime) -> None:
    """Note that there was no news for all this, and when a row that was missed goes again."""
    due = planning_note.next_due(standing.state, sync, now)
    latest = standing.latest.run if standing.latest else standing.state.through
    note = PlanningNote(plan_of, now.isoformat(), latest, folded=True, due=due.isoformat() if due else None)
    planning_note.write(settings, sync.name, note)


def _desired(settings: Settings, sync: Sync) -> Iterable[Desired]:
    return sync.desired(audience(settings, sync.segments, sync.purpose, sync.channel))


def _inputs(settings: Settings, computed_from: dict[str, str]) -> dict[str, str]:
    """Return the state of all that an audience is made of."""
    catalog = catalogs.open_catalog(settings)
    heads = {
        name: commit.head(catalogs.load(catalog, name)) for name in (CUSTOMERS.name, CONSENT_ANSWERS.name)
    }
    return {**computed_from, **heads}


def _plan_of(settings: Settings, sync: Sync, inputs: dict[str, str], now: datetime) -> dict[str, Any]:
    """Return all that a plan depends on, besides what the CRM has acknowledged."""
    generation = consent.generation(settings, now)
    return {"inputs": {**inputs, "consent": generation}, "definition": sync.fingerprint}
