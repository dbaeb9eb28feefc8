"""The guards of exactly-once by name, each of which can be taken out: a simulation that cannot fail proves nothing.

`python -m tests.simulation --seeds 100 --without "commit window"` shows which seeds notice that one is missing.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from pyiceberg.table.update.snapshot import _SnapshotProducer

from lakehouse.errors import CommitConflict
from lakehouse.ingest import batch
from lakehouse.ingest.loading.loader import Loader
from lakehouse.tables import commit, ledger, outcome, replace_table, table_time
from lakehouse.tables.maintenance import expire
from tests.simulation.nights import Night

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

    from lakehouse.landing.raw_files import RawFile

Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Guard:
    """What the code is without it, and the night of `nights` on which it is missed; on the day itself, without one."""

    patches: Callable[[], Sequence[Patch]]
    night: Night | None = None


class _OnlyAsAWhole(frozenset[str]):
    """Ids of which a batch is thought to be committed only if all of its own are among them."""

    def __rand__(self, ids: Any) -> Any:
        return frozenset(ids) if frozenset(ids) <= frozenset(self) else frozenset()


def _any_part() -> Sequence[Patch]:
    real = commit._carried_by
    return [(commit, "_carried_by", lambda snapshots: _OnlyAsAWhole(real(snapshots)))]


def _ledger() -> Sequence[Patch]:
    def known(_: Any, table: Table, ids: set[str]) -> set[str]:
        return ids & {record.id for *_, record in ledger.in_summaries(table)}

    def append(*arguments: Any, already: Any, **named: Any) -> Any:
        return commit.append(*arguments, **named)

    return [(ledger, "known", known), (batch, "append", append)]


def _ledger_at_the_commit() -> Sequence[Patch]:
    def append(*arguments: Any, already: Any, **named: Any) -> Any:
        return commit.append(*arguments, **named)

    return [(batch, "append", append)]


def _each_file_once() -> Sequence[Patch]:
    """Load what messages announce as often as they do."""
    times: Counter[str] = Counter()
    group, load = batch._by_source_key, Loader.run

    def by_source_key(files: Any) -> Any:
        announced = list(files)
        times.clear()
        times.update(file.file_id for file in announced)
        return group(announced)

    def run(self: Loader, files: Sequence[RawFile], *rest: Any) -> Any:
        return load(self, [file for file in files for _ in range(times[file.file_id])], *rest)

    return [
        (batch, "_by_source_key", by_source_key),
        (Loader, "run", run),
        (commit, "_check_each_once", lambda *_: None),
    ]


def _planned_on_the_head() -> Sequence[Patch]:
    def planned(table: Table, _: Any, *rest: Any) -> Any:
        head = table.current_snapshot()
        return real(table, head.snapshot_id if head else None, *rest)

    real = replace_table._planned_on
    return [
        (replace_table, "_planned_on", planned),
        (replace_table._ReplaceAll, "_validate_concurrency", lambda _: None),
    ]


def _current_watermark() -> Sequence[Patch]:
    def newest(table: Table) -> dict[str, str]:
        snapshots = sorted(table.metadata.snapshots, key=_number)
        found = [
            inputs
            for each in snapshots
            if (inputs := real(SimpleNamespace(current_snapshot=lambda e=each: e)))
        ]
        return found[-1] if found else {}

    real: Any = commit.inputs
    return [(commit, "inputs", newest)]


def _number(snapshot: Snapshot) -> int:
    return snapshot.sequence_number or 0


_everything_in_ledger = SimpleNamespace(in_ledger=lambda _, ids: ids)

GUARDS: dict[str, Guard] = {
    # a retry looks for its files in the commits since it began
    "commit window": Guard(
        lambda: [(commit._GuardedAppend, "_validate_concurrency", lambda _: None)],
        Night("raw.shop_orders", 1, "drowsy"),
    ),
    # one file of a batch that is there already refuses the batch
    "any part": Guard(_any_part, Night("raw.shop_orders", 1, "drowsy")),
    # files whose commits have expired are known all the same
    "ledger": Guard(_ledger),
    "ledger at the commit": Guard(_ledger_at_the_commit, Night("raw.events", 2, "drowsy", expires=True)),
    # the only record of a file does not expire
    "recorded before expiry": Guard(lambda: [(expire, "ledger", _everything_in_ledger)]),
    # a batch holds what is announced twice once
    "each file once": Guard(_each_file_once),
    # messages that were compared with the table's are compared anew when rows were added
    "messages once": Guard(
        lambda: [(commit, "_adds_rows", lambda _: False)], Night("raw.events", 1, "drowsy")
    ),
    # a commit without an answer, whose snapshot has expired, is looked for by its files
    "expired outcome": Guard(
        lambda: [(outcome, "has_all_since", lambda *_: True)],
        Night("raw.shop_orders", 1, "refused", expires=True),
    ),
    # files of a commit that may take effect yet stay
    "unknown outcome": Guard(lambda: [(commit, "Transient", CommitConflict)], Night("raw.events", 1, "late")),
    # manifests of a commit that took effect stay
    "kept manifests": Guard(
        lambda: [
            (
                commit.KeepsCommittedManifests,
                "_clean_all_uncommitted",
                _SnapshotProducer._clean_all_uncommitted,
            )
        ],
        Night("raw.shop_orders", 1, "refused", expires=True),
    ),
    # a model replaces only what it was computed beside
    "planned on the head": Guard(_planned_on_the_head, Night("core.order_copies", 1, "drowsy")),
    # how far a model has read is what its current rows say, not the newest that it ever wrote
    "current watermark": Guard(_current_watermark),
    # a snapshot is later than the table's last change
    "table time": Guard(lambda: [(table_time, "dated", lambda updates, _: tuple(updates))]),
    "metadata in order": Guard(lambda: [(expire, "stage_in_order", lambda _: None)]),
    # rows count as loaded after those that are there
    "load order": Guard(lambda: [(ledger, "after_last_load", lambda _, now: now)]),
}


@contextmanager
def without(name: str | None) -> Iterator[None]:
    """Take a guard out of the code while the block runs; None takes none out."""
    with ExitStack() as patches:
        for target, attribute, replacement in GUARDS[name].patches() if name else ():
            patches.enter_context(mock.patch.object(target, attribute, replacement))
        yield
