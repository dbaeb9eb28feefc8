"""Planning a run: compare, write the rows, take the next number, announce. One open run a sync at most."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from lakehouse import objects, settings, telemetry
from lakehouse.outbound import acknowledged, log
from lakehouse.outbound.announce import announce
from lakehouse.outbound.changes import Changes, find_changes
from lakehouse.outbound.records import Chunk, Row, Run, chunk_id
from lakehouse.privacy import consent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Desired

CHUNK_ROWS = 100


def plan_run(sync: Sync, desired: Iterable[Desired], now: datetime, inputs: Mapping[str, str]) -> Run | None:
    """Write down and announce what the CRM must be told; return the run, or None when there is no news.

    While the latest run has chunks without an outcome, no other begins: its open chunks are announced again.
    `inputs` name the state of all that `desired` was computed from (snapshot ids, the day), the consent
    projection is added here: when they have moved, missed rows go again before their time. Two planners with
    the same plan write the same objects; with different plans one of them wins the number, and both return
    the winner's run.
    """
    standing = acknowledged.load(sync.name)
    if standing.latest is not None:
        _complete(standing.latest, standing.open_chunks, now)
        if standing.open_chunks:
            return standing.latest
    everything = {**inputs, "consent": consent.generation(now)}
    changes = find_changes(sync, desired, standing.state, now, _moved(standing, everything))
    if not changes.rows and standing.latest is not None and standing.latest.audience == changes.audience:
        return None
    planned = _run(sync, changes, standing, now, everything)
    _prepare_left_out(planned, changes)
    made = log.write_run(planned, list(_chunks(sync, planned, changes)))
    if made.plan != planned.plan:
        telemetry.info("another planner took the run's number", sync=sync.name, run=made.run)
        return made
    _complete(made, dict.fromkeys(made.chunk_ids(), 0), now)
    telemetry.info("run planned", sync=sync.name, run=made.run, rows=len(changes.rows), count=made.selected)
    return made


def preview(sync: Sync, desired: Iterable[Desired], now: datetime, inputs: Mapping[str, str]) -> Run:
    """Return the run that `plan_run` would make now, writing and announcing nothing."""
    standing = acknowledged.load(sync.name)
    everything = {**inputs, "consent": consent.generation(now)}
    changes = find_changes(sync, desired, standing.state, now, _moved(standing, everything))
    return _run(sync, changes, standing, now, everything)


def _moved(standing: acknowledged.Standing, inputs: Mapping[str, str]) -> bool:
    return standing.latest is None or standing.latest.inputs != inputs


def _run(
    sync: Sync, changes: Changes, standing: acknowledged.Standing, now: datetime, inputs: dict[str, str]
) -> Run:
    rows = changes.rows
    content = [sync.fingerprint, inputs, standing.next_run, [asdict(row) for row in rows], changes.audience]
    return Run(
        sync=sync.name,
        run=standing.next_run,
        plan=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        created_at=now.isoformat(),
        inputs=inputs,
        definition=sync.fingerprint,
        chunks=-(-len(rows) // CHUNK_ROWS),
        selected=changes.selected,
        unchanged=changes.unchanged,
        to_send=len(changes.upserts),
        to_remove=len(changes.removals),
        failed_waiting=len(changes.failed_waiting),
        withheld_waiting=len(changes.withheld_waiting),
        unknown=changes.unknown,
        no_consent=len(changes.no_consent),
        no_address=len(changes.no_address),
        same_address=len(changes.same_address),
        audience=changes.audience,
    )


def _chunks(sync: Sync, planned: Run, changes: Changes) -> Iterable[Chunk]:
    rows = changes.rows
    for number, start in enumerate(range(0, len(rows), CHUNK_ROWS), start=1):
        yield Chunk(
            sync=sync.name,
            run=planned.run,
            chunk=chunk_id(planned.plan, number),
            destination=sync.destination,
            object=sync.object,
            id_property=sync.id.property,
            purpose=sync.purpose,
            channel=sync.channel,
            rows=[
                Row(at, change.customer_id, change.id, change.action, change.properties)
                for at, change in enumerate(rows[start : start + CHUNK_ROWS])
            ],
        )


def _complete(made: Run, chunks: Mapping[str, int], now: datetime) -> None:
    """Do what follows a run's commit, or what a planner that died left of it; repeating it does no harm."""
    bucket, folder = settings.current().ops_bucket, f"{log.ROOT}{made.sync}/{made.run}/"
    if objects.get(bucket, f"{folder}left_out.json") is None:
        prepared = objects.get(bucket, _prepared_key(made))
        objects.put(bucket, f"{folder}left_out.json", prepared or b"{}")
    if chunks:
        announce(made, chunks, now)


def _prepare_left_out(planned: Run, changes: Changes) -> None:
    """Write down whom the plan leaves out and why, under the plan's name; it is the run's once that is made."""
    left_out = {
        "consent": sorted(changes.no_consent),
        "no_address": sorted(changes.no_address),
        "same_address": sorted(changes.same_address),
    }
    objects.put(settings.current().ops_bucket, _prepared_key(planned), json.dumps(left_out).encode())


def _prepared_key(planned: Run) -> str:
    return f"{log.ROOT}{planned.sync}/{planned.run}/{planned.plan[:8]}-left-out.json"
