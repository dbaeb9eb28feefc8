"""What of quarantine a person dealt with otherwise, such as by a corrected file: who said so, when and why.

A dismissal is an object below `audit/quarantine/`, which `books` copies into `ops.audit_log`. It names rows of a file;
they stay in quarantine and in the books, and are neither listed nor tried again unasked.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from lakehouse import objects, telemetry
from lakehouse.ingest.policy import ReplayPolicy

if TYPE_CHECKING:
    from lakehouse.tables.commit import FileRecord

PREFIX: Final = "audit/quarantine/"
ACTION: Final = "quarantine_dismissed"
Range = tuple[int, int]


@dataclass
class DismissedRows:
    """The rows of a file that are dealt with; `whole_file`: the file was bad as a whole, and is."""

    whole_file: bool = False
    ranges: list[Range] = field(default_factory=list)

    def __contains__(self, row: int | None) -> bool:
        """Return whether a row is dealt with; None is the whole file."""
        if row is None:
            return self.whole_file
        return any(first <= row <= last for first, last in self.ranges)


Dismissals = Mapping[str, DismissedRows]  # by file id


@dataclass(frozen=True)
class Dismissal:
    """That rows of a file are dealt with: by whom and why; `rows` holds None for a file that is bad as a whole."""

    record: FileRecord
    rows: frozenset[int | None]
    by: str
    why: str


def write(bucket: str, dismissals: Iterable[Dismissal], at: datetime) -> str:
    """Write dismissals as one object, and return its key; none of none."""
    lines = [json.dumps(_entry(dismissal, at), ensure_ascii=False) for dismissal in dismissals]
    if not lines:
        return ""
    key = f"{PREFIX}{at:%Y%m%dT%H%M%S}-{uuid.uuid4()}.json"
    objects.put(bucket, key, ("\n".join(lines) + "\n").encode(), "application/x-ndjson")
    return key


def _entry(dismissal: Dismissal, at: datetime) -> dict[str, Any]:
    record = dismissal.record
    detail = {
        "key": record.key,
        "replay": record.replay,
        "whole_file": None in dismissal.rows,
        "rows": list(ranges_of(row for row in dismissal.rows if row is not None)),
        "count": len(dismissal.rows),
        "by": dismissal.by,
        "why": dismissal.why,
    }
    return {"at": at.isoformat(), "action": ACTION, "subject": record.file_id, "detail": detail}


def ranges_of(rows: Iterable[int]) -> Iterator[Range]:
    """Yield the first and the last of each run of numbers without a gap."""
    first = last = None
    for row in sorted(rows):
        if first is None or last is None:
            first = last = row
        elif row == last + 1:
            last = row
        else:
            yield first, last
            first = last = row
    if first is not None and last is not None:
        yield first, last


def read(bucket: str) -> dict[str, DismissedRows]:
    """Return what is dealt with of every file, by its id.

    A damaged line is logged with its object's key, and counts for nothing: its rows are open again.
    """
    dismissed: dict[str, DismissedRows] = {}
    keys = [f"{PREFIX}{name}" for name in objects.list_keys(bucket, PREFIX)]
    with ThreadPoolExecutor(ReplayPolicy.plan_threads) as pool:
        bodies = list(pool.map(lambda key: objects.get(bucket, key), keys))
    for key, body in zip(keys, bodies, strict=True):
        for line in (body or b"").splitlines():
            try:
                _add(dismissed, json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                telemetry.failed("a dismissal cannot be read", error, key=key)
    return dismissed


def _add(dismissed: dict[str, DismissedRows], entry: Mapping[str, Any]) -> None:
    detail = entry["detail"]
    ranges = [(int(first), int(last)) for first, last in detail["rows"]]
    rows = dismissed.setdefault(entry["subject"], DismissedRows())
    rows.whole_file = rows.whole_file or bool(detail["whole_file"])
    rows.ranges += ranges


def among(rows: Collection[int | None], dismissed: DismissedRows | None) -> frozenset[int | None]:
    """Return those of the rows that are dealt with."""
    if dismissed is None:
        return frozenset()
    return frozenset(row for row in rows if row in dismissed)
