"""What the CRM should hold compared with what it has acknowledged, shard by shard; what is found lies on the disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from lakehouse.outbound import planning_note
from lakehouse.outbound.brakes import Totals
from lakehouse.outbound.changes import Change, Changes, find_changes, find_refusals
from lakehouse.outbound.fold import NO_LONGER, Folding
from lakehouse.outbound.policies import ledger
from lakehouse.outbound.policies.reasons import (
    CONSENT,
    CONTROL,
    ERASED,
    NO_ADDRESS,
    NO_OWNER,
    SAME_ADDRESS,
    SUPPRESSED,
    Reason,
)
from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.records import LEFT_OUT_REASONS, Desired, plain
from lakehouse.outbound.spool import part_of, parts_of_shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from lakehouse.outbound.acknowledged import State
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.spool import Spool

Mode = Literal["full", "refusals"]
Lane = Literal["removals", "upserts"]

_SHARDS_A_FILE: Final = 4  # of the ledger of contacts: 256 open files more would be too many
_PARTS = range(ledger.SHARDS // _SHARDS_A_FILE)
_WAITING = ("failed_waiting", "withheld_waiting", "projection_waiting", "quiet_waiting", "cap_waiting")
_LEFT_OUT = {
    "no_consent": CONSENT,
    "erased": ERASED,
    "suppressed": SUPPRESSED,
    "control": CONTROL,
    "no_owner": NO_OWNER,
    "no_address": NO_ADDRESS,
    "same_address": SAME_ADDRESS,
}


@dataclass(slots=True)
class Comparison:
    """What there is to send, and for everybody else why not.

    `counts` go by the fields of `Changes`; `held` is how many the CRM holds. `left_out` has by reason (`Reason.text`)
    who was not left out for it before, and as `no_longer` who is left out no more; None where that was not asked. `due`
    is when a row that waits goes again. `redefined`: the sync's definition is another than that of its latest run.
    `until` says by reason when the first and the last go again who are withheld until a moment (ISO-8601).
    """

    spool: Spool
    counts: Counter[str] = field(default_factory=Counter)
    held: int = 0
    left_out: dict[str, list[str]] | None = None
    due: datetime | None = None
    redefined: bool = False
    until: dict[str, list[str]] = field(default_factory=dict)

    def rows(self, lane: Lane) -> Iterator[Change]:
        """Yield the rows of a lane, in an order that the same comparison always has."""
        return (Change(**line) for line in self.spool.read(lane, _PARTS))

    def lines(self, lane: Lane) -> Iterator[str]:
        """Yield the rows of a lane as lines of JSON, in the same order."""
        return self.spool.lines(lane, _PARTS)

    @property
    def totals(self) -> Totals:
        """Return what the brakes look at."""
        counts = self.counts
        return Totals(counts["selected"], self.held, counts["leaving"], counts["upserts"])

    @property
    def has_rows(self) -> bool:
        """Return whether there is anything to send."""
        return bool(self.counts["removals"] or self.counts["upserts"])

    def add(self, found: Changes, *, by_shard: bool = False) -> None:
        """Add what was found of one shard; `by_shard`: rows of one shard of the ledger of contacts stand together."""
        counts = {name: getattr(found, name) for name in ("selected", "unchanged", "unknown", "leaving")}
        for name in ("removals", "upserts", *_WAITING, *_LEFT_OUT):
            counts[name] = len(getattr(found, name))
        self.counts.update(counts)
        rows = sorted(found.rows, key=_shard) if by_shard else found.rows
        for change in rows:
            lane = "removals" if change.action == "remove" else "upserts"
            self.spool.write(lane, plain(change), _part(change) if by_shard else 0)
        for name, reason in _LEFT_OUT.items():
            for customer_id in getattr(found, name):
                text = Reason(reason, found.left_out_by.get(customer_id, "")).text
                self.spool.write("left-out-now", [customer_id, text], part_of(customer_id))

    def compare_left_out(self) -> None:
        """Find who is left out anew and who no longer, from what `add` and `add_known` laid out."""
        news: dict[str, list[str]] = {reason: [] for reason in (*LEFT_OUT_REASONS, NO_LONGER)}
        for part in range(LogPolicy.most_shards):
            parts = range(part, part + 1)
            before = dict(self.spool.read("left-out-before", parts))
            now = dict(self.spool.read("left-out-now", parts))
            for customer_id, reason in now.items():
                if before.get(customer_id) != reason:
                    news.setdefault(reason, []).append(customer_id)
            news[NO_LONGER] += before.keys() - now.keys()
        self.left_out = {reason: sorted(customers) for reason, customers in news.items()}

    def add_known(self, state: State, now: datetime) -> None:
        """Add whom a shard's state knows as left out, and until when rows wait."""
        for row in state.missed.values():
            if row.until and row.goes_again(0) > now:
                span = self.until.setdefault(row.code, [row.until, row.until])
                span[:] = [min(span[0], row.until), max(span[1], row.until)]
        for customer_id, reason in state.left_out.items():
            self.spool.write("left-out-before", [customer_id, reason], part_of(customer_id))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the CRM should hold, or who allows to be held there, laid out on the disk; `rows` is how many."""

    mode: Mode
    spool: Spool
    rows: int

    def changes(self, sync: Sync, state: State, parts: range, now: datetime, inputs_moved: bool) -> Changes:
        """Return what there is to send of the shard that has these parts."""
        if self.mode == "refusals":
            held = {(entry.customer_id, entry.address or name) for name, entry in state.acknowledged.items()}
            allowed = {pair for pair in map(tuple, self.spool.read("allowed")) if pair in held}
            return find_refusals(sync, allowed, state, now, inputs_moved)
        desired = (Desired(**line) for line in self.spool.read("desired", parts))
        return find_changes(sync, desired, state, now, inputs_moved)


def lay_out_desired(spooled: Spool, desired: Iterable[Desired]) -> Wanted:
    """Lay out what the CRM should hold by how it knows people; who has no address goes by customer."""
    rows = 0
    for person in desired:
        rows += 1
        spooled.write("desired", plain(person), part_of(person.id or person.customer_id))
    spooled.close("desired")
    return Wanted("full", spooled, rows)


def lay_out_allowed(spooled: Spool, allowed: Iterable[tuple[str, str]]) -> Wanted:
    """Lay out who allows to be held, customer and address; every shard reads all of it."""
    for recipient in allowed:
        spooled.write("allowed", recipient)
    spooled.close("allowed")
    return Wanted("refusals", spooled, 0)


def compare(
    sync: Sync, wanted: Wanted, folding: Folding, comparison: Comparison, now: datetime, inputs_moved: bool
) -> Comparison:
    """Compare all shards. Raises SnapshotLostError."""
    for shard, count, state in folding.states(wanted.rows):
        comparison.held += sum(not each.closed for each in state.acknowledged.values())
        if comparison.redefined:
            state.forget_moments()
        due = planning_note.next_due(state, sync, now)
        comparison.due = min(filter(None, (comparison.due, due)), default=None)
        found = wanted.changes(sync, state, parts_of_shard(shard, count), now, inputs_moved)
        comparison.add(found, by_shard=sync.contact is not None and sync.contact.cap is not None)
        comparison.add_known(state, now)
    for name in ("removals", "upserts", "left-out-now", "left-out-before"):
        comparison.spool.close(name)
    if wanted.mode == "full":
        comparison.compare_left_out()
    return comparison


def _shard(change: Change) -> int:
    return ledger.shard_of(change.customer_id)


def _part(change: Change) -> int:
    return _shard(change) // _SHARDS_A_FILE
