"""What the CRM has acknowledged: a fold of the outcomes of every run, with a snapshot so that it stays short.

`outbound/<sync>/state.json.gz` is the fold up to one run. It is a copy: `load` folds the runs that came after
it, `rebuild` folds all of them from nothing, `check` says whether both agree; deleting it costs only time, and
a planner that overwrites it with an older one does no harm. Only where old runs are cleared away is it needed.
"""

from __future__ import annotations

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from lakehouse import objects, telemetry
from lakehouse.outbound import log
from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.records import Action, Chunk, Outcome, Result, Row, Run, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakehouse.settings import Settings


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the CRM holds for one address, as it last said. `unknown`: sent, but it never answered.

    `uncertain`: an attempt that broke off may have written `properties`. It counts as written, so that it is taken off
    again, and not as held, so that who should be written is written again.
    """

    customer_id: str
    properties: dict[str, str]
    crm_id: str = ""
    unknown: bool = False
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A row that did not arrive: why, when (ISO-8601), and what it would have written."""

    action: Action
    status: Status
    code: str
    at: str
    properties: dict[str, str]

    def is_of(self, action: Action, properties: Mapping[str, str]) -> bool:
        """Return whether this is the row that would be sent: the same action with the same properties."""
        return self.action == action and self.properties == properties


@dataclass(slots=True)
class State:
    """The fold up to the run `through` ("": none); both maps go by the CRM's id for a person, the address."""

    through: str = ""
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    missed: dict[str, Missed] = field(default_factory=dict)

    def fold(self, chunk: Chunk, outcome: Outcome) -> None:
        """Add what became of one chunk."""
        results = {result.row: result for result in outcome.rows}
        for row in chunk.rows:
            result = results.get(row.row)
            if result is not None:
                self._fold_row(row, result, outcome.finished_at)

    def _fold_row(self, row: Row, result: Result, at: str) -> None:
        self.missed.pop(row.id, None)
        match result.status:
            case "removed":
                self.acknowledged.pop(row.id, None)
            case "sent":
                self.acknowledged[row.id] = Acknowledged(row.customer_id, row.properties, result.crm_id)
            case "unknown" if row.action == "remove":  # at most once: it is not cleared again
                self.acknowledged.pop(row.id, None)
            case "unknown":
                self.acknowledged[row.id] = Acknowledged(row.customer_id, row.properties, unknown=True)
            case "failed" | "withheld":
                if result.uncertain and row.action == "upsert":
                    self.acknowledged[row.id] = self._uncertain(row)
                self.missed[row.id] = Missed(row.action, result.status, result.code, at, row.properties)

    def _uncertain(self, row: Row) -> Acknowledged:
        """Return what the CRM may hold: what it held, or what the row would have written."""
        before = self.acknowledged.get(row.id, Acknowledged(row.customer_id, {}))
        return Acknowledged(
            row.customer_id, before.properties | row.properties, before.crm_id, uncertain=True
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sync stands: the fold, its latest run, and how often each of its open chunks was claimed."""

    state: State
    latest: Run | None
    open_chunks: dict[str, int]

    @property
    def next_run(self) -> str:
        """Return the number of the next run."""
        last = self.latest.run if self.latest else self.state.through
        return f"{int(last or 0) + 1:08d}"


def load(settings: Settings, sync: str, renew: bool = True) -> Standing:
    """Return where a sync stands, folding what came after the snapshot; `renew` writes a new one then."""
    state = _snapshot(settings, sync)
    before = state.through
    latest = log.run(settings, sync, before) if before else None  # None too when old runs were cleared away
    for planned in log.runs(settings, sync, before):
        latest = planned
        open_chunks = log.open_chunks(settings, planned)
        if open_chunks:
            return Standing(state, latest, open_chunks)
        _fold_run(settings, state, planned)
    if renew and state.through != before:
        objects.put(settings.ops_bucket, _key(sync), _packed(state), "application/gzip")
    return Standing(state, latest, {})


def rebuild(settings: Settings, sync: str) -> State:
    """Fold every finished run from the first one on, without the snapshot."""
    state = State()
    for planned in log.runs(settings, sync):
        if log.open_chunks(settings, planned):
            break
        _fold_run(settings, state, planned)
    return state


def check(settings: Settings, sync: str) -> bool:
    """Return whether the snapshot, with what came after it, is what all outcomes together say."""
    return load(settings, sync, renew=False).state == rebuild(settings, sync)


def _fold_run(settings: Settings, state: State, planned: Run) -> None:
    for chunk, outcome in _delivered(settings, planned):
        state.fold(chunk, outcome)
    state.through = planned.run


def _delivered(settings: Settings, planned: Run) -> Iterator[tuple[Chunk, Outcome]]:
    def read(name: str) -> tuple[Chunk, Outcome | None]:
        chunk = log.chunk(settings, planned.sync, planned.run, name)
        return chunk, log.outcome(settings, planned.sync, planned.run, name)

    with ThreadPoolExecutor(LogPolicy.threads) as pool:
        for chunk, outcome in pool.map(read, planned.chunk_ids()):
            if outcome is not None:
                yield chunk, outcome


def _snapshot(settings: Settings, sync: str) -> State:
    packed = objects.get(settings.ops_bucket, _key(sync))
    if packed is None:
        return State()
    try:
        value = json.loads(gzip.decompress(packed))
        return State(
            value["through"],
            {address: Acknowledged(**entry) for address, entry in value["acknowledged"].items()},
            {address: Missed(**entry) for address, entry in value["missed"].items()},
        )
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        telemetry.warn("outbound snapshot unreadable; folding from the start", sync=sync)
        return State()


def _packed(state: State) -> bytes:
    return gzip.compress(
        json.dumps(asdict(state), ensure_ascii=False, separators=(",", ":")).encode(), 1, mtime=0
    )


def _key(sync: str) -> str:
    return f"{log.ROOT}{sync}/state.json.gz"
