"""Plans what to try again: of each raw file exactly the rows that its last generation left in quarantine.

The plan holds for one moment. Whoever commits a generation first wins: the guard knows it by number, and the loser
plans again from what is open then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lakehouse.ingest.loading import deletion_guard
from lakehouse.ingest.quarantine.bad_rows import Digest, read
from lakehouse.ingest.quarantine.open_rows import Open
from lakehouse.landing.raw_files import RawFile, listing
from lakehouse.sources import definition

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.commit import FileRecord

_THREADS = 8
Left = Literal["gone", "undefined", "disagrees"]


@dataclass(frozen=True)
class Replay:
    """One generation to load: its number, and the rows it is made of; None when the whole file was bad.

    Number 0 is a file that no definition fitted when it came: it is loaded for the first time, so that whoever else
    is told of it meets the same guard.

    `would_delete`: a full export was held for what it would delete, and replaying it says that it may. `since` is
    when number 0 was first met.
    """

    number: int
    rows: frozenset[int] | None
    would_delete: bool = False
    since: str = field(default="", compare=False)


@dataclass(frozen=True)
class Step:
    """What to do with an open file: load `file` as `replay` says, or leave it, and why.

    `gone`: the raw file is no longer there. `undefined`: no source definition fits its key. `disagrees`: the object
    in quarantine is not the one that the file's commit counted, so nobody knows which of its rows are loaded.
    """

    opened: Open
    file: RawFile | None = None
    replay: Replay | None = None
    left: Left | None = None


def plan(settings: Settings, opened: Iterable[Open]) -> Iterator[Step]:
    """Yield a step for each open file, in their order; each reads an object and asks for the raw file."""
    places = definition.load(settings.definitions).keys()

    def step(one: Open) -> Step:
        if one.place not in places:
            return Step(one, left="undefined")
        if (file := _standing(one.record)) is None:
            return Step(one, left="gone")
        replay = next_generation(settings.ops_bucket, one)
        return Step(one, file, replay, None if replay else "disagrees")

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(step, opened)


def next_generation(bucket: str, one: Open) -> Replay | None:
    """Return what to load next of an open file, or None when quarantine is not what its commit counted."""
    if not one.table:  # nothing of it is loaded, whatever an attempt that died may have left in quarantine
        return Replay(0, None, since=one.record.started_at)
    record, digest = one.record, Digest()
    rows: set[int] = set()
    whole = would_delete = False
    for bad in read(bucket, record):
        digest.add(bad["row"])
        whole = whole or bad["row"] is None
        would_delete = would_delete or bad.get("code") == deletion_guard.CODE
        rows |= {bad["row"]} - {None}
    counted = 1 if whole else len(rows)
    if counted != record.quarantined or (whole and rows) or (record.set_aside not in ("", str(digest))):
        return None
    if whole and (record.received, record.loaded) != (1, 0):
        return None
    return Replay(record.replay + 1, None if whole else frozenset(rows), would_delete)


def _standing(record: FileRecord) -> RawFile | None:
    """Return the raw file of a record as it stands in the bucket; None when that version is gone."""
    for file in listing(record.bucket, record.key):
        if file.file_id == record.file_id:
            return file
        if file.key > record.key:
            return None
    return None
