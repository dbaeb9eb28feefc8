"""Planning a run: compare, write the rows, take the next number, announce. One open run a sync at most."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lakehouse import objects, telemetry
from lakehouse.batching import batches
from lakehouse.outbound import acknowledged, log
from lakehouse.outbound.announce import announce
from lakehouse.outbound.changes import find_changes
from lakehouse.outbound.destinations import batch_limit
from lakehouse.outbound.records import CONSENT, ERASED, NO_ADDRESS, SAME_ADDRESS, Chunk, Row, Run, chunk_id
from lakehouse.privacy import consent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from lakehouse.outbound.acknowledged import Standing
    from lakehouse.outbound.changes import Change, Changes
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Desired
    from lakehouse.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is not written yet: its chunks, and whom it leaves out (customer ids by reason, sorted)."""

    run: Run
    chunks: list[Chunk]
    left_out: dict[str, list[str]]


def plan_run(
    settings: Settings,
    sync: Sync,
    desired: Iterable[Desired],
    now: datetime,
    inputs: Mapping[str, str],
    standing: Standing | None = None,
) -> Run | None:
    """Write down and announce what the CRM must be told; return the run, or None when there is no news.

    While the latest run has chunks without an outcome, no other begins: its open chunks are announced again.
    `inputs` name the state of all that `desired` was computed from (snapshot ids, the day), the consent
    projection is added here: when they have moved, missed rows go again before their time. Two planners with
    the same plan write the same objects; with different plans one of them wins the number, and both return
    the winner's run. `standing` is where the sync stands, when the caller has just folded its log.
    """
    standing = standing or acknowledged.load(settings, sync.name)
    if standing.latest is not None:
        _complete(settings, standing.latest, standing.open_chunks, now)
        if standing.open_chunks:
            return standing.latest
    all_inputs = {**inputs, "consent": consent.generation(settings, now)}
    inputs_moved = standing.latest is None or standing.latest.inputs != all_inputs
    changes = find_changes(sync, desired, standing.state, now, inputs_moved)
    if not is_news(changes, standing):
        return None
    plan = make_plan(sync, changes, standing.next_run, now, all_inputs, batch_limit(sync.destination))
    return _carry_out(settings, plan, now)


def is_news(changes: Changes, standing: Standing) -> bool:
    """Return whether changes are worth a run: rows to send, or others left out than the latest run says."""
    if changes.rows or standing.latest is None:
        return True
    return standing.latest.audience != changes.audience


def make_plan(
    sync: Sync, changes: Changes, number: str, now: datetime, inputs: dict[str, str], chunk_rows: int
) -> Plan:
    """Return the run of that number that sends the changes, in chunks of at most `chunk_rows` rows.

    The same changes from the same inputs make the same plan, whoever makes it.
    """
    rows = changes.rows
    content = [sync.fingerprint, inputs, number, [asdict(row) for row in rows], changes.audience]
    plan_hash = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    chunks = [
        _chunk(sync, number, chunk_id(plan_hash, position), batch)
        for position, batch in enumerate(batches(rows, count=chunk_rows), start=1)
    ]
    run = Run(
        sync=sync.name,
        run=number,
        plan=plan_hash,
        created_at=now.isoformat(),
        inputs=inputs,
        definition=sync.fingerprint,
        chunks=len(chunks),
        selected=changes.selected,
        unchanged=changes.unchanged,
        to_send=len(changes.upserts),
        to_remove=len(changes.removals),
        failed_waiting=len(changes.failed_waiting),
        withheld_waiting=len(changes.withheld_waiting),
        projection_waiting=len(changes.projection_waiting),
        unknown=changes.unknown,
        no_consent=len(changes.no_consent),
        erased=len(changes.erased),
        no_address=len(changes.no_address),
        same_address=len(changes.same_address),
        audience=changes.audience,
    )
    left_out = {
        CONSENT: sorted(changes.no_consent),
        ERASED: sorted(changes.erased),
        NO_ADDRESS: sorted(changes.no_address),
        SAME_ADDRESS: sorted(changes.same_address),
    }
    return Plan(run, chunks, left_out)


def _chunk(sync: Sync, run: str, name: str, changes: Sequence[Change]) -> Chunk:
    return Chunk(
        sync=sync.name,
        run=run,
        chunk=name,
        destination=sync.destination,
        object=sync.object,
        id_property=sync.id.property,
        purpose=sync.purpose,
        channel=sync.channel,
        rows=[
            Row(number, change.customer_id, change.id, change.action, change.properties)
            for number, change in enumerate(changes)
        ],
    )


def _carry_out(settings: Settings, plan: Plan, now: datetime) -> Run:
    """Write a plan's objects, take its number and announce its chunks; return the run that has the number."""
    planned = plan.run
    _write_left_out(settings, plan)
    committed = log.write_run(settings, planned, plan.chunks)
    if committed.plan != planned.plan:
        telemetry.info("another planner took the run's number", sync=planned.sync, run=committed.run)
        return committed
    _complete(settings, committed, dict.fromkeys(committed.chunk_ids(), 0), now)
    rows = sum(len(chunk.rows) for chunk in plan.chunks)
    telemetry.info("run planned", sync=planned.sync, run=committed.run, rows=rows, count=committed.selected)
    return committed


def _complete(settings: Settings, run: Run, claims: Mapping[str, int], now: datetime) -> None:
    """Do what follows a run's commit, or what a planner that died did not do of it; repeating it does no harm.

    `claims` are the run's open chunks, with how often each has been claimed.
    """
    key = f"{log.ROOT}{run.sync}/{run.run}/left_out.json"
    if objects.get(settings.ops_bucket, key) is None:
        prepared = objects.get(settings.ops_bucket, _left_out_key(run))
        objects.put(settings.ops_bucket, key, prepared or b"{}")
    if claims:
        announce(settings, run, claims, now)


def _write_left_out(settings: Settings, plan: Plan) -> None:
    """Write down whom the plan leaves out and why, under the plan's name; it is the run's once that is committed."""
    objects.put(settings.ops_bucket, _left_out_key(plan.run), json.dumps(plan.left_out).encode())


def _left_out_key(run: Run) -> str:
    return f"{log.ROOT}{run.sync}/{run.run}/{run.plan[:8]}-left-out.json"
