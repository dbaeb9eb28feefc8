"""What computing a model took, of all rows and of some: noted in its table, and what the next run may expect.

Seconds are those of the processor, all threads of the process included: machines are shared. Where a model has never
been computed in one of the ways, its rows and inputs say what that may take, in the words of `IncrementalPolicy`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

from lakehouse.models.policy import IncrementalPolicy
from lakehouse.tables import commit

if TYPE_CHECKING:
    from lakehouse.tables.catalog import Table


@dataclass(frozen=True)
class Costs:
    """Seconds of the last run of all rows, of so many of table and inputs, and of the last of a share of them.

    0 seconds are none that anybody measured. `looking_seconds` it took the last time to find which rows may differ.
    `idle` is about how often no row followed from what changed: then to look which do is all that an update takes.
    """

    all_seconds: float = 0.0
    all_rows: int = 0
    some_seconds: float = 0.0
    some_share: float = 0.0
    idle: float = IncrementalPolicy.idle_at_first
    looking_seconds: float = 0.0

    @classmethod
    def of(cls, table: Table) -> Costs:
        """Return what a model's table notes; nothing where it was filled before there were notes.

        A note of another release may say more, or less.
        """
        snapshot = table.current_snapshot()
        summary = snapshot.summary if snapshot is not None else None
        noted = summary.additional_properties.get(commit.COSTS) if summary is not None else None
        found = json.loads(noted or "{}")
        return cls(**{each.name: found[each.name] for each in fields(cls) if each.name in found})

    def as_text(self) -> str:
        """Return the note."""
        return json.dumps(asdict(self), sort_keys=True)

    def after_all(self, seconds: float, rows: int, looking_seconds: float = 0.0) -> Costs:
        """Return the note once all rows were computed from so many.

        `looking_seconds` it took before that to see that some rows follow from what changed; 0 where nobody looked.
        """
        kept = 1 - IncrementalPolicy.forgotten
        idle = self.idle + IncrementalPolicy.forgotten * (IncrementalPolicy.idle_at_first - self.idle)
        if looking_seconds:
            idle = self._seen(idle=False).idle
        return replace(
            self,
            idle=round(idle, 3),
            all_seconds=round(seconds, 3),
            all_rows=rows,
            some_seconds=round(self.some_seconds * kept, 3),
            looking_seconds=round(looking_seconds or self.looking_seconds * kept, 3),
        )

    def after_some(self, seconds: float, share: float) -> Costs:
        """Return the note once this share of the rows was computed."""
        return replace(self._seen(idle=False), some_seconds=round(seconds, 3), some_share=round(share, 6))

    def after_none(self) -> Costs:
        """Return the note once it was seen that no row follows from what changed."""
        return self._seen(idle=True)

    def of_all(self, rows: int) -> float:
        """Return the seconds that all rows take, now that table and inputs have so many."""
        if not self.all_seconds or not self.all_rows:
            return rows / IncrementalPolicy.rows_a_second
        return self.all_seconds * rows / self.all_rows

    def of_some(self, rows: int, share: float, inputs: int) -> float:
        """Return the seconds that a share of the rows takes, of a model with so many inputs that say what changed."""
        seconds_of_all = self.of_all(rows)
        if self.some_seconds:
            more = (share - self.some_share) * IncrementalPolicy.dearer_rows * seconds_of_all
            return max(self.some_seconds / 2, self.some_seconds + more)
        fixed = IncrementalPolicy.fixed_seconds + IncrementalPolicy.seconds_of_input * inputs
        return fixed + (IncrementalPolicy.least_part + share * IncrementalPolicy.dearer_rows) * seconds_of_all

    def is_worth_looking(self, rows: int, compared: int, moved: int, inputs: int) -> bool:
        """Return whether to look which rows follow from what changed is expected to cost less than computing all.

        Of the inputs `moved` are others than they were, and of them so many rows have to be `compared`.
        """
        seconds_of_all = self.of_all(rows) * IncrementalPolicy.largest_cost
        planned = moved * IncrementalPolicy.seconds_of_looking
        looking = compared / IncrementalPolicy.rows_compared_a_second + max(planned, self.looking_seconds)
        best = min(seconds_of_all, self.of_some(rows, 0, inputs))
        return (
            looking + (1 - self.idle) * best <= seconds_of_all
            and looking <= seconds_of_all * IncrementalPolicy.largest_looking
        )

    def _seen(self, *, idle: bool) -> Costs:
        return replace(self, idle=round((self.idle + idle) / 2, 3))
