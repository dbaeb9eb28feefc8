"""A change of a record, how far changes were pulled, and which of them are new. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.pulls.policy import PullPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Changed:
    """A record as its CRM holds it now: its id, when it changed (milliseconds since 1970), its values by header."""

    id: str
    at: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far changes of one kind were pulled: `through` (milliseconds since 1970), all of what had been shown by then.

    `seen`: records that changed within `PullPolicy.overlap` before that, and when; they are shown again, and are not
    landed again.
    """

    through: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """Return from when on changes are asked for."""
        return max(self.through - _overlap(), 0)

    def to_json(self) -> dict[str, Any]:
        """Return it as its object holds it."""
        return {"through": self.through, "seen": self.seen}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Cursor:
        """Read what `to_json` wrote; ValueError, KeyError or TypeError for anything else."""
        return cls(int(value["through"]), {str(name): int(at) for name, at in value["seen"].items()})

    def after(self, pulled: Iterable[Changed]) -> Cursor:
        """Return how far changes were pulled once these have landed."""
        seen = dict(self.seen)
        for change in pulled:
            seen[change.id] = max(change.at, seen.get(change.id, 0))
        through = max([self.through, *seen.values()])
        recent = {name: at for name, at in seen.items() if at >= through - _overlap()}
        newest = sorted(recent.items(), key=lambda one: (one[1], one[0]))[-PullPolicy.seen_records :]
        return Cursor(through, dict(newest))


def unseen(changes: Iterable[Changed], cursor: Cursor) -> Iterator[Changed]:
    """Yield the changes that were not landed before: those from the cursor's start on that it has not seen."""
    return (
        change
        for change in changes
        if change.at >= cursor.start and cursor.seen.get(change.id, -1) < change.at
    )


def csv_of(headers: Sequence[str], changes: Iterable[Changed]) -> bytes:
    """Return changes as a table whose first row is the headers; a value that is missing is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([change.values.get(header, "") for header in headers] for change in changes)
    return text.getvalue().encode()


def file_key(source_key: str, body: bytes, now: datetime) -> str:
    """Return the key of a pulled raw file; the same changes pulled again within the hour have the same."""
    return f"{source_key}/{now:%Y/%m/%d/%H}/pull-{hashlib.sha256(body).hexdigest()[:32]}.csv"


def milliseconds(text: str) -> int:
    """Return a moment that a CRM writes in ISO-8601 as milliseconds since 1970; ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(in_utc.timestamp() * 1000)


def _overlap() -> int:
    return round(PullPolicy.overlap.total_seconds() * 1000)
