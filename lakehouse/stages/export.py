"""The export stage: segments now, and what each sync has to send to its CRM because of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse import error_text, telemetry
from lakehouse.errors import BadDefinition
from lakehouse.outbound import brakes, log, planning_note
from lakehouse.outbound.planner import Planned, Request, plan
from lakehouse.outbound.planning_note import PlanningNote
from lakehouse.outbound.record_kinds import NO_PURPOSE
from lakehouse.privacy import consent
from lakehouse.segments import refresh as segments
from lakehouse.segments.audience import allowed, audience
from lakehouse.stages import sync_causes, sync_ids, sync_orders
from lakehouse.stages.contact_facts import audience_with_facts
from lakehouse.stages.reactions import count_reactions
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.people import CONSENT_ANSWERS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Desired
    from lakehouse.settings import Settings
    from lakehouse.stages.sync_orders import Kind, Order


def export(settings: Settings) -> segments.Refresh:
    """Refresh the segments and plan a run of every sync that has news; chunks long open are announced again.

    A sync that cannot be planned, or a segment that cannot be asked, does not stop the others: it is logged, and the
    first error raised at the end. Of a sync that cannot be planned, or that a brake stops, those who refuse are taken
    off all the same.
    """
    return _export(settings, segments.refresh(settings), sync_orders.orders)


def export_triggered(settings: Settings) -> segments.Refresh:
    """Do as `export` for what triggers alone have news for: segments of a `trigger`, and syncs that ask those or rules.

    It is right at any time, also while marts are computed: everything else stays as it is, and `export` comes later,
    which says what is wrong with segments.
    """
    refreshed = replace(segments.refresh(settings, triggered_only=True), wrong={})
    return _export(settings, refreshed, sync_orders.triggered)


def _export(
    settings: Settings,
    refreshed: segments.Refresh,
    orders: Callable[[Settings, Collection[str]], Iterable[Order]],
) -> segments.Refresh:
    if not refreshed.inputs:
        return refreshed  # nothing was computed yet: an empty audience would remove everybody
    errors: list[Exception] = []
    for name, reason in refreshed.wrong.items():
        errors.append(BadDefinition(f"segment {name}: {reason}; it keeps its members"))
        telemetry.failed("a segment cannot be asked", errors[-1], reason=f"segment {name}: {reason}")
    still_written: set[tuple[str, str, str]] = set()  # by syncs that ended
    for order in orders(settings, refreshed.sizes):
        if order.wrong is not None:
            errors.append(order.wrong)
            telemetry.failed(
                "a sync cannot be planned", order.wrong, sync=order.name, reason=str(order.wrong)
            )
        try:
            _carry_out(settings, order, refreshed.inputs, still_written)
        except Exception as error:  # noqa: BLE001 - it is raised when the other syncs are planned
            reason = error_text.safe_text(error)
            telemetry.failed("a sync cannot be planned", error, sync=order.name, reason=reason)
            errors.append(error)
    if errors:
        raise errors[0]
    return refreshed


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
    of_all = inputs_of(settings, computed_from)
    for order in sync_orders.orders(settings, segments.names(settings)):
        if order.sync is None:
            continue
        inputs = of_all | _inputs_of_sync(settings, order.sync, now)
        plan_of = _plan_of(settings, order.sync, inputs, now, order.kind)
        note = planning_note.read(settings, order.name)
        if note is None or not note.settles(settings, order.name, plan_of, now):
            return True
    return False


def _carry_out(
    settings: Settings, order: Order, computed_from: dict[str, str], still_written: set[tuple[str, str, str]]
) -> None:
    """Plan one sync. One that writes what a sync that ended has not taken off yet waits until that is done."""
    if order.sync is None:
        return
    if order.kind == "ended":
        planned = _plan(settings, order.sync, computed_from, order.kind)
        is_held = bool(planned.held) and order.sync.removal != "keep"
        if planned.open or planned.run is not None or is_held:
            still_written |= order.sync.writes
    elif order.kind == "wanted" and order.sync.writes & still_written:
        telemetry.info("a sync waits for one that ended and wrote the same", sync=order.name)
    else:
        _plan(settings, order.sync, computed_from, order.kind)


def _plan(settings: Settings, sync: Sync, computed_from: dict[str, str], kind: Kind = "wanted") -> Planned:
    """Plan a run of a sync, unless that was done for all there is now, and nothing is open or due since."""
    now = datetime.now(UTC)
    inputs = inputs_of(settings, computed_from) | _inputs_of_sync(settings, sync, now)
    plan_of = _plan_of(settings, sync, inputs, now, kind)
    note = planning_note.read(settings, sync.name)
    if note is not None and note.settles(settings, sync.name, plan_of, now):
        return Planned(None, held=note.held)
    planned = plan(settings, request_of(settings, sync, kind, inputs), now)
    if planned.run is None:
        latest = log.latest_run(settings, sync.name)
        due = planned.due.isoformat() if planned.due else None
        number = latest.run if latest else ""
        found = PlanningNote(plan_of, now.isoformat(), number, due, planned.held or 0)
        planning_note.write(settings, sync.name, found)
    return planned


def request_of(settings: Settings, sync: Sync, kind: Kind, inputs: dict[str, str]) -> Request:
    """Return what the CRM should hold: the audience, nobody any more, or only those who still consent.

    Of a sync that asks no consent nobody refuses: while it is wrong, nothing is taken off.
    """
    desired: dict[Kind, Callable[[], Iterable[Desired]] | None] = {
        "wanted": lambda: _desired(settings, sync),
        "ended": lambda: (),
        "held": None,
    }
    return Request(
        sync,
        inputs,
        desired[kind],
        allowed=None if sync.purpose == NO_PURPOSE else lambda: allowed(settings, sync.purpose, sync.channel),
        may_brake=kind == "wanted",
        reactions=_reactions_of(settings, sync),
    )


def _reactions_of(settings: Settings, sync: Sync) -> Callable[[], tuple[int, int]] | None:
    limit = sync.contact.refusals if sync.contact is not None else None
    if limit is None:
        return None
    return lambda: count_reactions(settings, sync, limit, datetime.now(UTC))


def _desired(settings: Settings, sync: Sync) -> Iterable[Desired]:
    if sync.is_by_cause:
        return sync.desired(sync_causes.cause_rows(settings, sync, datetime.now(UTC)))
    if sync.contact is not None:
        return sync.desired(audience_with_facts(settings, sync, sync.contact, datetime.now(UTC)))
    id_types = sync_ids.types_of(settings, sync)
    return sync.desired(audience(settings, sync.asked_segments, sync.purpose, sync.channel, id_types))


def inputs_of(settings: Settings, computed_from: dict[str, str]) -> dict[str, str]:
    """Return the state of all that an audience is made of."""
    catalog = catalogs.open_catalog(settings)
    heads = {
        name: commit.head(catalogs.load(catalog, name)) for name in (CUSTOMERS.name, CONSENT_ANSWERS.name)
    }
    return {**computed_from, **heads}


def _inputs_of_sync(settings: Settings, sync: Sync, now: datetime) -> dict[str, str]:
    """Return the state of what this sync's rows are made of, beside that of every audience."""
    return sync_ids.inputs_of(settings, sync) | sync_causes.inputs_of(settings, sync, now)


def _plan_of(
    settings: Settings, sync: Sync, inputs: dict[str, str], now: datetime, kind: Kind = "wanted"
) -> dict[str, Any]:
    """Return all that a plan depends on, besides what the CRM has acknowledged."""
    return {
        "inputs": {**inputs, "consent": consent.generation(settings, now)},
        "definition": sync.fingerprint,
        "brakes": sync.brakes.model_dump(),
        "kind": kind,
        "accepted": brakes.accepted(settings, sync.name),
    }
