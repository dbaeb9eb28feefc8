"""Planning a run: compare, write the rows, take the next number, announce. One open run a sync at most.

News wait for no open chunk: the run is closed, what it did not send is planned anew, and removals stand first.
"""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from lakehouse import objects, telemetry
from lakehouse.batching import batches
from lakehouse.outbound import brakes, closing, fold, log, retired
from lakehouse.outbound.announce import announce
from lakehouse.outbound.comparison import Comparison, compare, lay_out_allowed, lay_out_desired
from lakehouse.outbound.destinations import batch_limit, removal_limit
from lakehouse.outbound.fold import Folding, Standing
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.outbound.records import Chunk, Row, Run, chunk_id, plain
from lakehouse.outbound.spool import spool
from lakehouse.outbound.state_store import SnapshotLostError
from lakehouse.privacy import consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lakehouse.outbound.brakes import Brake
    from lakehouse.outbound.changes import Change
    from lakehouse.outbound.comparison import Lane, Mode, Wanted
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Desired
    from lakehouse.outbound.spool import Spool
    from lakehouse.settings import Settings

_LANES: tuple[Lane, ...] = ("removals", "upserts")


@dataclass(frozen=True, slots=True)
class Request:
    """What a plan is asked for: the sync, and what its CRM should hold.

    `inputs` name the state of all that `desired` is computed from (snapshot ids, the day); when they have moved, missed
    rows go again before their time. `desired` None: only who is not in `allowed` is taken off, which is also what is
    left of a plan that a brake stops. `may_brake` False: the plan is meant, as when a sync ends. `reactions` gives how
    many people the sync wrote to lately and how many of these refused since; None where it writes to nobody.
    """

    sync: Sync
    inputs: Mapping[str, str]
    desired: Callable[[], Iterable[Desired]] | None
    allowed: Callable[[], Iterable[tuple[str, str]]] | None = None
    may_brake: bool = True
    reactions: Callable[[], tuple[int, int]] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What came of planning.

    `run` is the run that was planned, or whose chunks are `open` still; None when there was no news. `held` is how many
    the CRM holds, and `due` when a row that was missed goes again; neither is known while chunks are open.
    """

    run: Run | None
    open: bool = False
    held: int | None = None
    due: datetime | None = None
    brake: Brake | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is not written yet, and what it sends."""

    run: Run
    sync: Sync
    comparison: Comparison
    chunk_rows: Mapping[Lane, int]

    @property
    def chunks(self) -> Iterator[Chunk]:
        """Yield its chunks: removals first, none of which is in a chunk with upserts."""
        lanes = (batches(self.comparison.rows(lane), count=self.chunk_rows[lane]) for lane in _LANES)
        for number, changes in enumerate(chain.from_iterable(lanes), start=1):
            yield _chunk(self.sync, self.run.run, chunk_id(self.run.plan, number), changes)


def plan_run(
    settings: Settings, sync: Sync, desired: Iterable[Desired], now: datetime, inputs: Mapping[str, str]
) -> Run | None:
    """Plan what the CRM must be told so that it holds what is desired, as `plan` does, and let no brake stop it."""
    return plan(settings, Request(sync, inputs, lambda: desired, may_brake=False), now).run


def plan(settings: Settings, request: Request, now: datetime) -> Planned:
    """Write down and announce what the CRM must be told.

    While the latest run has chunks without an outcome and there is no news, no other begins: its open chunks are
    announced again after a while. Where the inputs or the definition have changed since, or it has been open for too
    long, it is closed. Two planners with the same plan write the same objects; with different plans one of them wins
    the number, and both return the winner's run.
    """
    planning = Planning(settings, request, now)
    latest = planning.standing.latest
    if latest is not None:
        open_chunks = planning.standing.open_chunks
        _complete(settings, latest, open_chunks, now)
        if open_chunks and (planning.goes_on(latest) or not closing.close(settings, latest, now)):
            return Planned(latest, open=True)
    brake = None
    if request.desired is not None:
        with planning.compared("full") as comparison:
            brake = planning.brake(comparison)
            if brake is None:
                return planning.conclude(comparison)
    if request.allowed is None:
        return Planned(None, brake=brake)
    with planning.compared("refusals") as comparison:
        return replace(planning.conclude(comparison), brake=brake)


class Planning:
    """One look at a sync: where it stands, what is asked for, and what comes of comparing both."""

    def __init__(self, settings: Settings, request: Request, now: datetime, *, dry: bool = False) -> None:
        """Look where the sync stands; `dry`: nothing at all is written."""
        self._settings, self._request, self._now, self._dry = settings, request, now, dry
        self._sync = request.sync
        self._inputs = {**request.inputs, "consent": consent.generation(settings, now)}
        self.standing: Standing = fold.standing(settings, self._sync.name)

    def goes_on(self, latest: Run) -> bool:
        """Return whether the open chunks of the latest run are still what there is to send."""
        age = self._now - datetime.fromisoformat(latest.created_at)
        is_news = latest.inputs != self._inputs or latest.definition != self._sync.fingerprint
        is_over = is_news or age >= DeliveryPolicy.run_patience
        return not is_over and not log.is_closing(self._settings, latest.sync, latest.run)

    @contextmanager
    def compared(self, mode: Mode) -> Iterator[Comparison]:
        """Compare what is asked for with what the CRM has acknowledged; what is found can be read inside."""
        with spool(self._settings) as spooled:
            wanted = self._lay_out(spooled, mode)
            try:
                with spool(self._settings) as found:
                    yield self._compare(wanted, found)
                    return
            except SnapshotLostError:
                telemetry.warn("outbound snapshot unreadable; folding from the start", sync=self._sync.name)
            with spool(self._settings) as found:
                yield self._compare(wanted, found, from_start=True)

    def _lay_out(self, spooled: Spool, mode: Mode) -> Wanted:
        if mode == "full" and self._request.desired is not None:
            return lay_out_desired(spooled, self._request.desired())
        return lay_out_allowed(spooled, self._request.allowed() if self._request.allowed else ())

    def _compare(self, wanted: Wanted, found: Spool, *, from_start: bool = False) -> Comparison:
        name, latest = self._sync.name, self.standing.latest
        folding = Folding(self._settings, name, found, from_start=from_start, renew=not self._dry)
        inputs_moved = latest is None or latest.inputs != self._inputs
        redefined = latest is not None and latest.definition != self._sync.fingerprint
        comparison = Comparison(found, redefined=redefined)
        return compare(self._sync, wanted, folding, comparison, self._now, inputs_moved)

    def brake(self, comparison: Comparison) -> Brake | None:
        """Return why what was found is not to be sent, and write it down; None where it may go."""
        found = self._find_brake(comparison) if self._request.may_brake else None
        is_meant = found is not None and brakes.is_accepted(
            found, brakes.accepted(self._settings, self._sync.name), self._now
        )
        if found is None or is_meant:
            if not self._dry:
                brakes.take_off(self._settings, self._sync.name)
            return None
        if not self._dry:
            brakes.put_on(self._settings, self._sync.name, found, self._now)
        return found

    def _find_brake(self, comparison: Comparison) -> Brake | None:
        contacted, refused = self._request.reactions() if self._request.reactions else (0, 0)
        totals = replace(comparison.totals, contacted=contacted, refused=refused)
        return brakes.find_brake(self._sync, totals)

    def conclude(self, comparison: Comparison) -> Planned:
        """Plan a run of what was found, where it is news."""
        if not is_news(comparison, self.standing.latest, self._is_latest_whole()):
            return Planned(None, held=comparison.held, due=comparison.due)
        named = (self._sync.destination, self._settings.definitions)
        upserts = batch_limit(*named)
        limits: dict[Lane, int] = {"removals": min(removal_limit(*named), upserts), "upserts": upserts}
        made = make_plan(self._sync, comparison, self.standing.next_run, self._now, self._inputs, limits)
        return Planned(_carry_out(self._settings, made, self._now), held=comparison.held, due=comparison.due)

    def _is_latest_whole(self) -> bool:
        """Return whether each row of the latest run has an outcome, so that its counts say what became of them."""
        latest = self.standing.latest
        return latest is None or log.closed(self._settings, latest) is None


def is_news(comparison: Comparison, latest: Run | None, is_latest_whole: bool = True) -> bool:
    """Return whether a comparison is worth a run: rows to send, or others left out than before.

    So is one after a run that was closed early, whose counts do not say what became of its rows.
    """
    if comparison.has_rows:
        return True
    if comparison.left_out is None:  # refusals alone were asked for
        return False
    if latest is None or not is_latest_whole or any(comparison.left_out.values()):
        return True
    return comparison.counts["selected"] != latest.selected


def make_plan(
    sync: Sync,
    comparison: Comparison,
    number: str,
    now: datetime,
    inputs: dict[str, str],
    chunk_rows: int | Mapping[Lane, int],
) -> Plan:
    """Return the run of that number that sends what was found, in chunks of at most `chunk_rows` rows (of a lane).

    The same comparison of the same inputs makes the same plan, whoever makes it.
    """
    limits = dict.fromkeys(_LANES, chunk_rows) if isinstance(chunk_rows, int) else chunk_rows
    counts = comparison.counts
    digest = hashlib.sha256()
    for part in (sync.fingerprint, inputs, number, sorted(counts.items()), comparison.left_out):
        digest.update(json.dumps(part, sort_keys=True).encode())
    for lane in _LANES:
        for line in comparison.lines(lane):
            digest.update(line.encode())
    run = Run(
        sync=sync.name,
        run=number,
        plan=digest.hexdigest(),
        created_at=now.isoformat(),
        inputs=inputs,
        definition=sync.fingerprint,
        chunks=sum(math.ceil(counts[lane] / limits[lane]) for lane in _LANES),
        selected=counts["selected"],
        unchanged=counts["unchanged"],
        to_send=counts["upserts"],
        to_remove=counts["removals"],
        failed_waiting=counts["failed_waiting"],
        withheld_waiting=counts["withheld_waiting"],
        projection_waiting=counts["projection_waiting"],
        unknown=counts["unknown"],
        no_consent=counts["no_consent"],
        erased=counts["erased"],
        suppressed=counts["suppressed"],
        control=counts["control"],
        quiet_waiting=counts["quiet_waiting"],
        cap_waiting=counts["cap_waiting"],
        no_owner=counts["no_owner"],
        until=comparison.until,
        no_address=counts["no_address"],
        same_address=counts["same_address"],
        mode="full" if comparison.left_out is not None else "refusals",
    )
    return Plan(run, sync, comparison, limits)


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
        rows=[Row(number, **plain(change)) for number, change in enumerate(changes)],
        contact=None if sync.contact is None else sync.contact.model_dump(),
        removal=sync.removal,
        create=sync.created_properties,
    )


def _carry_out(settings: Settings, plan: Plan, now: datetime) -> Run:
    """Write a plan's objects, take its number and announce its chunks; return the run that has the number."""
    planned = plan.run
    _write_left_out(settings, plan)
    retired.note_definition(settings, plan.sync)
    committed = log.write_run(settings, planned, plan.chunks)
    if committed.plan != planned.plan:
        telemetry.info("another planner took the run's number", sync=planned.sync, run=committed.run)
        return committed
    _complete(settings, committed, dict.fromkeys(committed.chunk_ids(), 0), now)
    rows = committed.to_send + committed.to_remove
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
    if claims and log.is_to_be_announced(settings, run, now):
        announce(settings, run, claims, now)
        log.note_announced(settings, run, now)


def _write_left_out(settings: Settings, plan: Plan) -> None:
    """Write down who is left out anew and why, under the plan's name; it is the run's once that is committed."""
    body = json.dumps(plan.comparison.left_out or {}).encode()
    objects.put(settings.ops_bucket, _left_out_key(plan.run), body)


def _left_out_key(run: Run) -> str:
    return f"{log.ROOT}{run.sync}/{run.run}/{run.plan[:8]}-left-out.json"
