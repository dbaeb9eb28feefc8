"""The dismiss stage: what is in quarantine and was dealt with otherwise, such as by a corrected file, is marked so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.ingest.quarantine import bad_rows, dismissals, open_rows
from lakehouse.ingest.quarantine.dismissals import Dismissal, DismissedRows

if TYPE_CHECKING:
    from lakehouse.ingest.quarantine.open_rows import QuarantinedFile, QuarantineFilter
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class Reason:
    """Who says that something in quarantine is dealt with, and why."""

    by: str
    why: str


@dataclass(frozen=True)
class DismissTally:
    """How many rows of how many files were marked."""

    files: int
    rows: int

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return asdict(self)


def dismiss_quarantine(
    settings: Settings,
    criteria: QuarantineFilter,
    reason: Reason,
    clock: Callable[[], datetime],
    *,
    row: int | None = None,
    dry_run: bool = False,
) -> DismissTally:
    """Mark the rows in quarantine to which all of the filter applies, `row` of a file alone where it is given.

    A dry run says how many there are. Raises what `select_files` and `check_source` raise.
    """
    files = open_rows.select_files(settings, criteria)
    if not files:
        open_rows.check_source(settings, criteria.source)
    dismissed = dismissals.read(settings.ops_bucket)
    found = []
    for file in files:
        rows = frozenset(_open_rows(settings, file, dismissed.get(file.file_id), criteria, row))
        if rows:
            found.append(Dismissal(file.record, rows, reason.by, reason.why))
    tally = DismissTally(len(found), sum(len(dismissal.rows) for dismissal in found))
    if not dry_run:
        dismissals.write(settings.ops_bucket, found, clock())
        telemetry.info("dismissed from quarantine", files=tally.files, rows=tally.rows)
    return tally


def _open_rows(
    settings: Settings,
    file: QuarantinedFile,
    dismissed: DismissedRows | None,
    criteria: QuarantineFilter,
    row: int | None,
) -> Iterator[int | None]:
    """Yield the rows of a file that are meant and not dismissed yet."""
    for bad in bad_rows.read(settings.ops_bucket, file.record):
        is_open = dismissed is None or bad["row"] not in dismissed
        if is_open and row in {None, bad["row"]} and _is_meant(bad, criteria):
            yield bad["row"]


def _is_meant(bad: Mapping[str, Any], criteria: QuarantineFilter) -> bool:
    has_code = criteria.code in {None, bad["code"]}
    return has_code and (
        criteria.since is None or datetime.fromisoformat(bad["quarantined_at"]) >= criteria.since
    )


def count_dismissed(settings: Settings) -> int:
    """Return how many rows that are in quarantine now are dealt with."""
    dismissed = dismissals.read(settings.ops_bucket)
    if not dismissed:
        return 0
    last = open_rows.last_generations(settings)
    files = [open_rows.QuarantinedFile(*last[file_id]) for file_id in dismissed if file_id in last]
    return sum(open_rows.count_dismissed(settings.ops_bucket, file, dismissed) for file in files)
