"""Plans what to try again: of each raw file exactly the rows that its last generation left in quarantine.

The plan holds for one moment. Whoever commits a generation first wins: the guard knows it by number, and the loser
plans again from what is in quarantine then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.ingest.loading import deletion_guard
from lakehouse.ingest.policy import ReplayPolicy
from lakehouse.ingest.quarantine.bad_rows import BadRow, Digest, read
from lakehouse.ingest.quarantine.dismissals import Dismissals, DismissedRows
from lakehouse.ingest.quarantine.open_rows import QuarantinedFile
from lakehouse.landing.raw_files import RawFile, listing
from lakehouse.sources import definition

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.commit import FileRecord

NONE_DISMISSED: Dismissals = MappingProxyType({})
SkipReason = Literal["gone", "undefined", "disagrees"]


@dataclass(frozen=True)
class Replay:
    """One generation to load: its number, and the rows it is made of; None when the whole file was bad.

    Number 0 is a file that no definition fitted when it came. It is loaded for the first time, under the number that
    ingest gives it too when its message comes again: so the commit guard lets only one of them load it.

    `would_delete`: a full export was held for what it would delete, and replaying it says that it may. `since` is
    when number 0 was first met. `kept` are rows that a person dealt with otherwise: they stay as `left_by` left them.
    """

    number: int
    rows: frozenset[int] | None
    would_delete: bool = False
    since: str = field(default="", compare=False)
    kept: frozenset[int] = frozenset()
    left_by: FileRecord | None = field(default=None, compare=False)

    def kept_rows(self, bucket: str) -> Iterator[BadRow]:
        """Yield the rows that stay in quarantine untried, as they stand there."""
        if self.left_by is None or not self.kept:
            return
        for bad in read(bucket, self.left_by):
            if bad["row"] in self.kept:
                yield BadRow(bad["row"], bad["code"], bad["reason"], bad.get("original"))


@dataclass(frozen=True)
class ReplayStep:
    """What to do with a file in quarantine: load `raw_file` as `replay` says, or leave it for `skip_reason`.

    `gone`: the raw file is no longer there. `undefined`: no source definition fits its key. `disagrees`: the object
    in quarantine is not the one that the file's commit counted, so nobody knows which of its rows are loaded.
    """

    quarantined: QuarantinedFile
    raw_file: RawFile | None = None
    replay: Replay | None = None
    skip_reason: SkipReason | None = None


@dataclass(frozen=True)
class QuarantineContent:
    """What a quarantine object holds: the numbers of bad rows, and whether the whole file is bad (and held)."""

    rows: frozenset[int]
    is_bad_file: bool
    would_delete: bool
    digest: str


def plan(
    settings: Settings, files: Iterable[QuarantinedFile], dismissed: Dismissals = NONE_DISMISSED
) -> Iterator[ReplayStep]:
    """Yield a step for each file in quarantine, in their order; each reads an object and asks for the raw file.

    Rows that are `dismissed` are not tried.
    """
    source_keys = definition.load(settings.definitions).keys()

    def plan_file(file: QuarantinedFile) -> ReplayStep:
        if file.source_key not in source_keys:
            return ReplayStep(file, skip_reason="undefined")
        raw_file = _find_raw_file(file.record)
        if raw_file is None:
            return ReplayStep(file, skip_reason="gone")
        replay = next_generation(settings.ops_bucket, file, dismissed.get(file.file_id))
        if replay is None:
            return ReplayStep(file, raw_file, skip_reason="disagrees")
        return ReplayStep(file, raw_file, replay)

    with ThreadPoolExecutor(ReplayPolicy.plan_threads) as pool:
        yield from pool.map(plan_file, files)


def next_generation(
    bucket: str, file: QuarantinedFile, dismissed: DismissedRows | None = None
) -> Replay | None:
    """Return what to load next of a file, or None when quarantine is not what its last commit counted."""
    if not file.table:  # nothing of it is loaded, whatever an attempt that died may have left in quarantine
        return Replay(0, None, since=file.record.started_at)
    content = summarize(read(bucket, file.record))
    if not agrees(file.record, content):
        return None
    number = file.record.replay + 1
    if content.is_bad_file:
        return Replay(number, None, content.would_delete)
    kept = frozenset(row for row in content.rows if dismissed is not None and row in dismissed)
    return Replay(number, content.rows - kept, content.would_delete, kept=kept, left_by=file.record)


def summarize(bad_rows: Iterable[Mapping[str, Any]]) -> QuarantineContent:
    """Return what the lines of a quarantine object hold."""
    digest = Digest()
    numbers: set[int] = set()
    is_bad_file = would_delete = False
    for bad in bad_rows:
        digest.add(bad["row"])
        if bad["row"] is None:
            is_bad_file = True
        else:
            numbers.add(bad["row"])
        if bad.get("code") == deletion_guard.CODE:
            would_delete = True
    return QuarantineContent(frozenset(numbers), is_bad_file, would_delete, str(digest))


def agrees(record: FileRecord, content: QuarantineContent) -> bool:
    """Return whether a quarantine object holds what the record's commit counted; old commits have no digest."""
    if record.set_aside not in {"", content.digest}:
        return False
    if not content.is_bad_file:
        return len(content.rows) == record.quarantined
    nothing_loaded = (record.received, record.loaded, record.quarantined) == (1, 0, 1)
    return nothing_loaded and not content.rows


def _find_raw_file(record: FileRecord) -> RawFile | None:
    """Return the raw file of a record as it is in the bucket; None when that version is gone."""
    for file in listing(record.bucket, record.key):
        if file.file_id == record.file_id:
            return file
        if file.key > record.key:
            return None
    return None
