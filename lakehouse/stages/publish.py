"""What people ask of a sync: what it would send now, and to go on where a brake has stopped it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import signals, telemetry
from lakehouse.definitions import nearest
from lakehouse.errors import LakehouseError, Terminal, Transient
from lakehouse.outbound import brakes
from lakehouse.outbound.destinations import hubspot
from lakehouse.outbound.preview import Preview, preview
from lakehouse.outbound.record_kinds import HUBSPOT
from lakehouse.segments import refresh as segments
from lakehouse.stages import export, sync_causes, sync_orders

if TYPE_CHECKING:
    from lakehouse.outbound.brakes import Brake
    from lakehouse.outbound.definition import Sync
    from lakehouse.settings import Settings
    from lakehouse.stages.sync_orders import Kind


def dry_run(settings: Settings, name: str) -> Preview:
    """Return what a sync would send if it were planned now, from the members as they were last computed.

    The CRM is asked only for the properties that it has, where the sync may make some. Raises Terminal for a sync that
    there is not, or that is wrong, and where nothing was computed yet.
    """
    sync, kind = _order(settings, name)
    computed_from = segments.inputs(settings)
    if not computed_from:
        raise Terminal("no customers were computed yet: `lakehouse up` loads files and computes them")
    now = datetime.now(UTC)
    inputs = export.inputs_of(settings, computed_from) | sync_causes.inputs_of(settings, sync, now)
    found = preview(settings, export.request_of(settings, sync, kind, inputs), now)
    stopped = found.stopped or sync_orders.unreachable(settings).get(name, "")
    return replace(found, stopped=stopped, properties=_properties_to_make(settings, sync))


def _properties_to_make(settings: Settings, sync: Sync) -> list[str] | None:
    """Return the properties that would be made in the CRM; None where none is, or it cannot be asked now."""
    wanted = sync.created_properties
    if wanted is None or sync.destination != HUBSPOT:
        return None
    key = sync.id.property if sync.kind is not None else ""
    try:
        return hubspot.properties_to_make(settings, sync.object, wanted, key)
    except (LakehouseError, BotoCoreError, ClientError) as error:
        telemetry.failed("the CRM's properties cannot be asked", error, sync=sync.name)
        return None


def accept(settings: Settings, name: str, by: str) -> Brake:
    """Let the plan of a sync go on that a brake has stopped; return what was accepted. Terminal where none is stopped.

    It counts for a day, and for no more rows than were told.
    """
    _order(settings, name)
    accepted = brakes.accept(settings, name, datetime.now(UTC), by)
    if accepted is None:
        raise Terminal(f"sync {name} is not stopped: there is nothing to accept")
    try:
        signals.send(settings.export_queue_url, [{"sync": name}])
    except Transient as error:
        telemetry.failed("hint lost, tick will find it", error, sync=name)
    return accepted


def _order(settings: Settings, name: str) -> tuple[Sync, Kind]:
    """Return a sync and what is to be done for it; Terminal for one that there is not, or that is wrong."""
    orders = {order.name: order for order in sync_orders.orders(settings, segments.names(settings))}
    order = orders.get(name)
    if order is not None and order.wrong is not None:
        raise Terminal(str(order.wrong))
    if order is None or order.sync is None:
        raise Terminal(f"there is no sync {name}{nearest(name, sorted(orders)) if orders else ''}")
    return order.sync, order.kind
