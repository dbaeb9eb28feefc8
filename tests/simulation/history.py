"""Every commit that the catalog took, in its order: what has expired since is still known here.

A lake at rest shows the snapshots that are left. What a commit did to those before it shows only while both are there,
so each commit is looked at when the catalog takes it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from lakehouse.tables import commit
from tests.support.clocks import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot

    from lakehouse.tables.commit import FileRecord

FOREIGN = "core.order_copies"  # a program that is not ours rolls this one back, and dates that as it likes


@dataclass(frozen=True)
class Loaded:
    """A raw file's record, and when its commit was taken, by the right time."""

    table: str
    at: float
    record: FileRecord


@dataclass
class History:
    """What each table was after each commit; `wrong` says what no commit may do."""

    wrong: list[str] = field(default_factory=list)
    loaded: dict[str, list[Loaded]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    _before: dict[str, TableMetadata] = field(default_factory=dict)

    def note(self, name: str, metadata: TableMetadata, at: float) -> None:
        """Note what a commit made of a table, which the catalog took at this moment of the right time."""
        before = self._before.get(name)
        known = {each.snapshot_id for each in before.snapshots} if before else set()
        self._before[name] = metadata
        for snapshot in metadata.snapshots:
            if snapshot.snapshot_id not in known:
                self._note_snapshot(name, snapshot, at)
        if name != FOREIGN:
            self.wrong += [f"{name}: {refusal}" for refusal in refusals(metadata)]
        if before is not None:
            self._compare_watermarks(name, before, metadata)

    def carried_twice(self) -> list[str]:
        """Return which tables took a file in two commits, whether their snapshots are live or not."""
        every = Counter((each.table, each.record.id) for each in chain.from_iterable(self.loaded.values()))
        tables = Counter(name for (name, _), number in every.items() if number > 1)
        return [
            f"{name}: two commits carried the same file, {number} times" for name, number in tables.items()
        ]

    def out_of_order(self, landed: Mapping[str, float]) -> list[str]:
        """Return the tables where a file that landed after another one was loaded counts as loaded before it."""
        wrong = []
        for name, files in self.loaded.items():
            times = [(each, _moment(each.record)) for each in files if not each.record.replay]
            for later, counts_from in times:
                came = landed.get(later.record.file_id, 0.0)
                if any(each.at < came and moment >= counts_from for each, moment in times):
                    wrong.append(f"{name}: {later.record.key} came later than what counts as loaded after it")
        return wrong

    def _note_snapshot(self, name: str, snapshot: Snapshot, at: float) -> None:
        self._numbers[name][str(snapshot.snapshot_id)] = snapshot.sequence_number or 0
        for record in commit.file_records(snapshot):
            self.loaded[name].append(Loaded(name, at, record))

    def _compare_watermarks(self, name: str, before: TableMetadata, after: TableMetadata) -> None:
        """No commit of new rows is computed from older inputs than the rows that it replaces.

        Who makes an older snapshot the current one does just that, and adds none: it is what was asked for.
        """
        new = after.current_snapshot()
        old = before.current_snapshot()
        if new is None or old is None or before.snapshot_by_id(new.snapshot_id) is not None:
            return
        older, newer = _inputs(old), _inputs(new)
        for source in older.keys() & newer.keys():
            numbers = self._numbers[source]
            if numbers.get(newer[source], 0) < numbers.get(older[source], 0):
                self.wrong.append(f"{name}: its watermark of {source} went back")


def _inputs(snapshot: Snapshot) -> dict[str, str]:
    summary = snapshot.summary
    text = summary.additional_properties.get(commit.INPUTS, "{}") if summary else "{}"
    inputs: dict[str, str] = json.loads(text)
    return inputs


def _moment(record: FileRecord) -> datetime:
    return datetime.fromisoformat(record.started_at).astimezone(UTC)
