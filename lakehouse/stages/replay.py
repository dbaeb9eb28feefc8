"""The replay stage: what is in quarantine is tried again with the definitions as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.ingest.batch import ingest, utc_now
from lakehouse.ingest.quarantine import bad_rows, open_rows, replay_plan
from lakehouse.ingest.quarantine.open_rows import Choice, Open
from lakehouse.ingest.quarantine.replay_plan import Step

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.commit import FileRecord

_ROWS, _FILES = 200_000, 500  # of one call of ingest; a single file may hold more
_ATTEMPTS = 8


@dataclass
class Tally:
    """What a replay met. Files are those that had something in quarantine, rows what stood there of them.

    `loaded` and `duplicates` are rows that left quarantine, `still_bad` those that stay in it after a try. `gone`,
    `undefined` and `disagrees` count files that were left as they are (see `replay.Step`), `failed` files to try
    again. A whole file that was bad is one row, and may become many.
    """

    files: int = 0
    rows: int = 0
    loaded: int = 0
    duplicates: int = 0
    still_bad: int = 0
    gone: int = 0
    undefined: int = 0
    disagrees: int = 0
    failed: int = 0
    to_try: int = 0

    @property
    def fixed(self) -> int:
        """Return how many rows are no longer in quarantine."""
        return self.loaded + self.duplicates

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {"fixed": self.fixed} | asdict(self)


def try_again(
    settings: Settings,
    choice: Choice,
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Tally:
    """Load the rows in quarantine that are good by now, each once whoever else does so too.

    All open rows of a chosen file are tried. A dry run says what would be tried (`to_try`) and what cannot be.
    `progress` hears how many files are done, and how many there are. Raises `Terminal` for an unknown file id.
    """
    chosen = open_rows.choose(settings, choice)
    tally = Tally(files=len(chosen), rows=sum(one.record.quarantined for one in chosen))
    done = 0
    for part in _parts(chosen):
        if progress is not None:
            progress(done, len(chosen))
        steps = _sorted_out(settings, part, tally)
        tally.to_try += len(steps)
        if not dry_run:
            _load(settings, steps, tally)
        done += len(part)
    telemetry.info("replayed", files=tally.files, loaded=tally.loaded, duplicates=tally.duplicates)
    return tally


def open_bad_rows(settings: Settings, file_id: str) -> tuple[FileRecord, Iterator[dict[str, Any]]]:
    """Return a file's last record and what it left in quarantine, a row at a time; none when nothing is open.

    `file_id` may be shortened. Raises `Terminal` when no file has it.
    """
    last = open_rows.last_generations(settings)
    _, record = last[open_rows.whole_id(last, file_id)]
    found = bad_rows.read(settings.ops_bucket, record)
    return record, found if record.quarantined else iter(())


def _parts(chosen: Sequence[Open]) -> Iterator[list[Open]]:
    part: list[Open] = []
    rows = 0
    for one in chosen:
        if part and (rows + one.record.quarantined > _ROWS or len(part) >= _FILES):
            yield part
            part, rows = [], 0
        part.append(one)
        rows += one.record.quarantined
    if part:
        yield part


def _sorted_out(settings: Settings, part: Sequence[Open], tally: Tally) -> list[Step]:
    """Return the steps that load something; the others are counted."""
    steps = []
    for step in replay_plan.plan(settings, part):
        if step.left is None:
            steps.append(step)
            continue
        setattr(tally, step.left, getattr(tally, step.left) + 1)
        telemetry.warn("left in quarantine", file_id=step.opened.record.file_id, reason=step.left)
    return steps


def _load(settings: Settings, steps: list[Step], tally: Tally) -> None:
    """Load a part; what another replay was faster with is planned again from what that left."""
    for _ in range(_ATTEMPTS):
        files = [step.file for step in steps if step.file is not None]
        plans = {step.opened.record.file_id: step.replay for step in steps if step.replay is not None}
        outcome = ingest(settings, files, utc_now, plans)
        for record in outcome.records:
            tally.loaded += record.loaded
            tally.duplicates += record.duplicates
            tally.still_bad += record.quarantined
        settled = {record.file_id for record in outcome.records}
        tally.failed += len(outcome.failed)
        beaten = [s.opened for s in steps if s.opened.record.file_id not in settled | outcome.failed]
        moved = _moved(settings, beaten, tally)
        if not (moved and (steps := _sorted_out(settings, moved, tally))):
            return
    tally.failed += len(steps)


def _moved(settings: Settings, beaten: Sequence[Open], tally: Tally) -> list[Open]:
    """Return what is open now of files that another replay loaded meanwhile.

    A file that nobody moved had nothing to load: all that was bad is bad still.
    """
    if not beaten:
        return []
    now = open_rows.last_generations(settings)
    moved = []
    for one in beaten:
        last = Open(*now[one.record.file_id])
        if (last.table, last.record.replay) == (one.table, one.record.replay):
            tally.still_bad += one.record.quarantined
        elif last.record.quarantined:
            moved.append(last)
    return moved
