"""The state of everything: what was received and what became of it, the tables, the deliveries."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lakehouse.books import balance
from lakehouse.models import metric, registry
from lakehouse.models.triggers import definition as trigger_rules
from lakehouse.outbound import brakes
from lakehouse.outbound import delivery_counts as outbound
from lakehouse.outbound.destinations import limits_table
from lakehouse.segments import definition, refresh
from lakehouse.stages import fire_triggers, sync_orders
from lakehouse.stages.dismiss import count_dismissed
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import SEGMENT_MEMBERS, TRIGGERS
from lakehouse.tables.policy import TableReadPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table


def status(settings: Settings) -> dict[str, Any]:
    """Return the state as JSON, as docs/status.md says: `ingest`, `tables`, `deliveries`, and what does not go on."""
    catalog = catalogs.open_catalog(settings)
    names = catalogs.table_names(catalog)
    with ThreadPoolExecutor(TableReadPolicy.catalog_threads) as pool:
        deliveries = pool.submit(outbound.status, settings)
        stopped = pool.submit(brakes.all_standing, settings)
        closed = pool.submit(limits_table.closed_destinations, settings, time.time())
        loaded = list(pool.map(lambda name: catalogs.load(catalog, name), names))
        tables = {name: table for name, table in zip(names, loaded, strict=True) if table is not None}
        ingested = balance.ingested(settings, tables)
        return {
            "ingest": ingested.as_json() | {"dismissed": count_dismissed(settings)},
            "tables": {name: balance.describe(table) for name, table in tables.items()},
            "deliveries": deliveries.result(),
            "stopped": stopped.result(),
            "destinations": {
                name: {"closed_by": each.why, "until": each.until.isoformat(), "reason": each.reason}
                for name, each in sorted(closed.result().items())
            },
            "definitions": _wrong_definitions(settings, tables),
        }


def _wrong_definitions(settings: Settings, tables: Mapping[str, Table]) -> list[dict[str, str]]:
    """Return what is wrong with people's definitions, in their files now or when they were last asked."""
    segments = definition.load(settings.definitions)
    known = {segment.name for segment in segments.defined}
    members = tables.get(SEGMENT_MEMBERS.name)
    asked = refresh.wrong_in(members) if members is not None else {}
    wrong = {name: reason for name, reason in asked.items() if name in known} | dict(segments.wrong)
    rules = trigger_rules.load(settings.definitions)
    fired = tables.get(TRIGGERS.name)
    refused = fire_triggers.wrong_in(fired) if fired is not None else {}
    wrong_rules = {name: reason for name, reason in refused.items() if name in rules.defined} | dict(
        rules.wrong
    )
    of_kinds = (
        ("model", registry.load(settings.definitions).wrong),
        ("trigger", wrong_rules),
        ("tag", registry.load_tags(settings.definitions).wrong),
        ("metric", metric.load(settings.definitions).wrong),
        ("segment", wrong),
        ("sync", sync_orders.wrong(settings, refresh.names(settings))),
    )
    return [
        {"kind": kind, "name": name, "reason": reason}
        for kind, reasons in of_kinds
        for name, reason in sorted(reasons.items())
    ]
