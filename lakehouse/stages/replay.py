"""The replay stage: what is in quarantine is tried again with the definitions as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.batching import Limit, batches
from lakehouse.ingest.batch import Outcome, ingest, utc_now
from lakehouse.ingest.policy import REPLAY_RETRY, ReplayPolicy
from lakehouse.ingest.quarantine import bad_rows, dismissals, open_rows, replay_plan
from lakehouse.ingest.quarantine.open_rows import QuarantinedFile, QuarantineFilter
from lakehouse.ingest.quarantine.replay_plan import NONE_DISMISSED, ReplayStep
from lakehouse.progress import Progress, no_progress
from lakehouse.retrying import resend_rejected

if TYPE_CHECKING:
    from lakehouse.ingest.quarantine.dismissals import Dismissals
    from lakehouse.settings import Settings
    from lakehouse.tables.commit import FileRecord


@dataclass(frozen=True)
class Tally:
    """What a replay met. Files are those that had something in quarantine, rows what was in it of them.

    `loaded` and `duplicates` are rows that left quarantine, `still_bad` those that stay in it after a try. `gone`,
    `undefined` and `disagrees` count files that were left as they are (see `replay_plan.ReplayStep`), `failed` files
    to try again, `to_try` files that a dry run would try. A whole file that was bad is one row, and may become many.
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

    def __add__(self, other: Tally) -> Tally:
        sums = [getattr(self, count.name) + getattr(other, count.name) for count in fields(Tally)]
        return Tally(*sums)

    @property
    def fixed(self) -> int:
        """Return how many rows are no longer in quarantine."""
        return self.loaded + self.duplicates

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {"fixed": self.fixed} | asdict(self)


def replay_quarantine(
    settings: Settings,
    criteria: QuarantineFilter,
    *,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> Tally:
    """Load the rows in quarantine that are good by now, each once whoever else does so too.

    All rows in quarantine of a selected file are tried, but those that a person dealt with otherwise: these only where
    the filter says so. A dry run says what would be tried (`to_try`) and what cannot
    be. `progress` hears how many files are done. Raises `Terminal` for an unknown file id or source.
    """
    selected = open_rows.select_files(settings, criteria)
    dismissed = NONE_DISMISSED if criteria.takes_dismissed else dismissals.read(settings.ops_bucket)
    if not selected:
        open_rows.check_source(settings, criteria.source)
    tally = tally_selected(selected)
    done = 0
    rows = Limit[QuarantinedFile](lambda file: file.record.quarantined, ReplayPolicy.max_rows)
    for batch in batches(selected, rows, count=ReplayPolicy.max_files):
        progress("trying again", done, len(selected))
        steps = list(replay_plan.plan(settings, batch, dismissed))
        to_load = _loadable(steps)
        tally += tally_skipped(steps) + Tally(to_try=len(to_load))
        if not dry_run:
            tally += _load(settings, to_load, dismissed)
        done += len(batch)
    telemetry.info("replayed", files=tally.files, loaded=tally.loaded, duplicates=tally.duplicates)
    return tally


def open_bad_rows(settings: Settings, file_id: str) -> tuple[FileRecord, Iterator[dict[str, Any]]]:
    """Return a file's last record and what it left in quarantine, a row at a time; none when nothing is there.

    Each row says under `dismissed` whether a person dealt with it otherwise.
    `file_id` may be shortened. Raises `Terminal` when no file has it.
    """
    last = open_rows.last_generations(settings)
    _, record = last[open_rows.resolve_file_id(last, file_id)]
    if not record.quarantined:
        return record, iter(())
    dismissed = dismissals.read(settings.ops_bucket).get(record.file_id, dismissals.DismissedRows())
    rows = bad_rows.read(settings.ops_bucket, record)
    return record, (bad | {"dismissed": bad["row"] in dismissed} for bad in rows)


def tally_selected(files: Sequence[QuarantinedFile]) -> Tally:
    """Count the files to replay, and their rows in quarantine."""
    return Tally(files=len(files), rows=sum(file.record.quarantined for file in files))


def tally_skipped(steps: Iterable[ReplayStep]) -> Tally:
    """Count the files that are left as they are, by reason."""
    reasons = [step.skip_reason for step in steps]
    return Tally(
        gone=reasons.count("gone"),
        undefined=reasons.count("undefined"),
        disagrees=reasons.count("disagrees"),
    )


def tally_outcome(outcome: Outcome) -> Tally:
    """Count what became of the rows that were tried, and the files that failed."""
    return Tally(
        loaded=sum(record.loaded for record in outcome.records),
        duplicates=sum(record.duplicates for record in outcome.records),
        still_bad=sum(record.quarantined for record in outcome.records),
        failed=len(outcome.failed),
    )


def unsettled_files(steps: Iterable[ReplayStep], outcome: Outcome) -> list[QuarantinedFile]:
    """Return the files that were neither loaded nor failed: no row was better, or another replay was first."""
    settled = {record.file_id for record in outcome.records} | outcome.failed
    return [step.quarantined for step in steps if step.quarantined.file_id not in settled]


def find_overtaken(
    unsettled: Iterable[QuarantinedFile], last: Mapping[str, tuple[str, FileRecord]]
) -> tuple[list[QuarantinedFile], Tally]:
    """Return what is in quarantine now of files that another replay loaded meanwhile, and a tally of the others.

    `last` holds (table, record) of each file's last generation by now. A file that nobody loaded had nothing to load:
    all that was bad is still bad.
    """
    overtaken, still_bad = [], 0
    for file in unsettled:
        now = QuarantinedFile(*last[file.file_id])
        if (now.table, now.record.replay) == (file.table, file.record.replay):
            still_bad += file.record.quarantined
        elif now.record.quarantined:
            overtaken.append(now)
    return overtaken, Tally(still_bad=still_bad)


def _load(settings: Settings, steps: list[ReplayStep], dismissed: Dismissals) -> Tally:
    """Load a batch; files that another replay loaded first are planned again from what that left."""
    tallies = []

    def load(steps: Sequence[ReplayStep]) -> Sequence[ReplayStep]:
        """Load what the steps say, and return the steps to go on with."""
        files = [step.raw_file for step in steps if step.raw_file is not None]
        replays = {step.quarantined.file_id: step.replay for step in steps if step.replay is not None}
        outcome = ingest(settings, files, utc_now, replays)
        tallies.append(tally_outcome(outcome))
        unsettled = unsettled_files(steps, outcome)
        if not unsettled:
            return []
        overtaken, others = find_overtaken(unsettled, open_rows.last_generations(settings))
        replanned = list(replay_plan.plan(settings, overtaken, dismissed)) if overtaken else []
        tallies.extend([others, tally_skipped(replanned)])
        return _loadable(replanned)

    not_loaded = resend_rejected(load, steps, REPLAY_RETRY)
    return sum(tallies, Tally(failed=len(not_loaded)))


def _loadable(steps: Iterable[ReplayStep]) -> list[ReplayStep]:
    """Return the steps that load something; the others are logged."""
    loadable = []
    for step in steps:
        if step.skip_reason is None:
            loadable.append(step)
        else:
            telemetry.warn("left in quarantine", file_id=step.quarantined.file_id, reason=step.skip_reason)
    return loadable
