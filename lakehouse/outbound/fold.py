"""Folds the log of a sync into its state, shard by shard: one shard and some chunks are in memory at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse import objects
from lakehouse.batching import batches
from lakehouse.outbound import log, state_store
from lakehouse.outbound.acknowledged import State, cleared_records
from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.records import Result, Row, plain
from lakehouse.outbound.spool import Spool, part_of, parts_of_shard, spool
from lakehouse.outbound.state_store import Shards, SnapshotLostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.outbound.log import Closed
    from lakehouse.outbound.records import Chunk, Outcome, Run
    from lakehouse.settings import Settings

NO_LONGER = "no_longer"  # in `left_out.json`: who is left out for no reason any more


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sync stands: its latest run, how often each of that one's open chunks was claimed, and its number."""

    latest: Run | None
    open_chunks: dict[str, int]
    next_run: str


def standing(settings: Settings, sync: str) -> Standing:
    """Return where a sync stands, without what the CRM has acknowledged."""
    latest = log.latest_run(settings, sync)
    number = latest.run if latest else state_store.read_shards(settings, sync).through
    open_chunks = log.open_chunks(settings, latest) if latest else {}
    return Standing(latest, open_chunks, f"{int(number or 0) + 1:08d}")


class Folding:
    """The finished runs of a sync that its state does not hold yet, laid out on the scratch disk by shard."""

    def __init__(
        self,
        settings: Settings,
        sync: str,
        spooled: Spool,
        *,
        from_start: bool = False,
        renew: bool = False,
    ) -> None:
        """Read the log; `from_start`: without what was folded before; `renew`: write what it comes to."""
        self._renew = renew
        self._settings, self._sync, self._spool = settings, sync, spooled
        self._stored = Shards() if from_start else state_store.read_shards(settings, sync)
        self._from_start = from_start
        self._runs: list[str] = []
        entries = self._stored.entries
        for planned in log.runs(settings, sync, self._stored.through):
            if log.open_chunks(settings, planned):
                break
            entries += planned.to_send + planned.no_consent + planned.erased
            entries += planned.no_address + planned.same_address + planned.suppressed + planned.control
            entries += planned.no_owner
            self._spool_run(planned)
        self.through = self._runs[-1] if self._runs else self._stored.through
        self.entries = entries
        self.count = self._stored.count

    def states(self, more_entries: int = 0) -> Iterator[tuple[int, int, State]]:
        """Yield each shard's number, their count, and its state.

        There are so many shards that each has room for its part of `more_entries`, too. Raises SnapshotLostError.
        """
        count = state_store.wanted_shards(max(self.entries, more_entries), self._stored.count)
        is_cut_anew = count != self._stored.count
        self.count = count
        if is_cut_anew:
            self._cut_anew()
        entries = 0
        for shard in range(count):
            state = self._stored_state(shard, count, is_cut_anew=is_cut_anew)
            before = state.through
            for run in self._runs:
                if run > before:
                    self._fold(state, run, parts_of_shard(shard, count))
            state.through = self.through
            if self._renew and (is_cut_anew or state.through != before):
                state_store.write_state(self._settings, self._sync, count, shard, state)
            entries += state.entries()
            yield shard, count, state
        made = Shards(count, self.through, entries)
        if self._renew and (is_cut_anew or self._runs):
            state_store.write_shards(self._settings, self._sync, made)

    def _stored_state(self, shard: int, count: int, *, is_cut_anew: bool) -> State:
        if is_cut_anew:
            parts = parts_of_shard(shard, count)
            return state_store.join(self._stored.through, self._spool.read("entries", parts))
        if self._from_start:
            return State()
        state = state_store.read_state(self._settings, self._sync, self._stored, shard)
        if state.through < self._stored.through:
            raise SnapshotLostError
        return state

    def _cut_anew(self) -> None:
        if self._from_start:
            return
        for shard in range(self._stored.count):
            state = state_store.read_state(self._settings, self._sync, self._stored, shard)
            for part, kind, key, value in state_store.split(state):
                self._spool.write("entries", [kind, key, value], part)
        self._spool.close("entries")

    def _fold(self, state: State, run: str, parts: range) -> None:
        for line in self._spool.read(f"rows-{run}", parts):
            row = Row(**line["row"])
            if line["result"] is None:
                state.fold_uncertain(row)
            else:
                state.fold(row, Result(**line["result"]), line["at"])
        state.disturb(self._spool.read(f"cleared-{run}"))
        for reason, customer_id in self._spool.read(f"left-out-{run}", parts):
            state.fold_left_out(reason, customer_id)

    def _spool_run(self, planned: Run) -> None:
        """Lay out what became of a run's rows, the records that were cleared, and who was left out from then on."""
        run = planned.run
        for chunk, outcome in delivered(self._settings, planned):
            self._spool_chunk(run, chunk, outcome)
        for reason, customer_id in _left_out(self._settings, planned):
            self._spool.write(f"left-out-{run}", [reason, customer_id], part_of(customer_id))
        for name in ("rows", "cleared", "left-out"):
            self._spool.close(f"{name}-{run}")
        self._runs.append(run)

    def _spool_chunk(self, run: str, chunk: Chunk, outcome: Outcome | None) -> None:
        results = {result.row: result for result in outcome.rows} if outcome else {}
        at = outcome.finished_at if outcome else ""
        for row in chunk.rows:
            result = results.get(row.row)
            if outcome is not None and result is None:
                continue  # an outcome may name fewer rows than its chunk
            line = {"row": plain(row), "result": plain(result) if result else None, "at": at}
            self._spool.write(f"rows-{run}", line, part_of(row.id))
            for record in cleared_records(result) if result else ():
                self._spool.write(f"cleared-{run}", record)


def delivered(settings: Settings, planned: Run) -> Iterator[tuple[Chunk, Outcome | None]]:
    """Yield the chunks of a run that is done with what became of them: None of one that may have been sent.

    Chunks that were not sent when the run was closed are left out.
    """
    closed: Closed | None = log.closed(settings, planned)
    unsent = set(closed.unsent) if closed else set()
    uncertain = set(closed.uncertain) if closed else set()

    def read(name: str) -> tuple[Chunk, Outcome | None]:
        chunk = log.chunk(settings, planned.sync, planned.run, name)
        if name in uncertain:
            return chunk, None
        return chunk, log.outcome(settings, planned.sync, planned.run, name)

    names = (name for name in planned.chunk_ids() if name not in unsent)
    rows_a_chunk = -(-(planned.to_send + planned.to_remove) // max(planned.chunks, 1))
    count = max(min(LogPolicy.chunks_read, LogPolicy.rows_read // max(rows_a_chunk, 1)), 1)
    with ThreadPoolExecutor(LogPolicy.threads) as pool:
        for some in batches(names, count=count):
            yield from pool.map(read, some)


def state_of(settings: Settings, sync: str) -> State:
    """Return the whole state of a sync, as its snapshot and what came after it say; nothing is written."""
    with spool(settings) as spooled:
        return _joined(Folding(settings, sync, spooled))


def rebuild(settings: Settings, sync: str) -> State:
    """Return the whole state of a sync as its log says, without the snapshot."""
    with spool(settings) as spooled:
        return _joined(Folding(settings, sync, spooled, from_start=True))


def check(settings: Settings, sync: str) -> bool:
    """Return whether the snapshot, with what came after it, is what all outcomes together say."""
    return state_of(settings, sync) == rebuild(settings, sync)


def _joined(folding: Folding) -> State:
    joined = State(folding.through)
    for _, _, state in folding.states():
        joined.acknowledged |= state.acknowledged
        joined.missed |= state.missed
        joined.strays |= state.strays
        joined.left_out |= state.left_out
    return joined


def _left_out(settings: Settings, planned: Run) -> Iterator[tuple[str, str]]:
    """Yield reason and customer of who was left out by a run, and of who no longer was ("")."""
    key = f"{log.ROOT}{planned.sync}/{planned.run}/left_out.json"
    advice = "restore its previous version; the bucket keeps those"
    found = objects.get_json(settings.ops_bucket, key, dict, advice) or {}
    for reason, customers in found.items():
        if reason != NO_LONGER:
            yield from ((reason, customer_id) for customer_id in customers)
    yield from (("", customer_id) for customer_id in found.get(NO_LONGER, ()))
