"""How often one person is written to by one channel, whoever writes: what the ledger holds, and what it allows. Pure.

A reservation is made before a message is sent. It is settled once the message is known to be sent, and withdrawn when
it is known not to be. In between it counts; a retry takes the place of the one that it repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from lakehouse.outbound.policies.reasons import CAP, Reason
from lakehouse.outbound.policy import ContactPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lakehouse.outbound.policies.definition import Cap


@dataclass(frozen=True, slots=True)
class Contacted:
    """One message to one person: when, and which row of which chunk it is; `sync` is empty of what people did."""

    at: datetime
    key: str
    sync: str = ""
    settled: bool = False

    def to_json(self) -> list[Any]:
        """Return it as the ledger holds it."""
        return [self.at.isoformat(), self.key, self.sync, self.settled]

    @classmethod
    def from_json(cls, value: list[Any]) -> Contacted:
        """Read what `to_json` wrote; ValueError for anything else."""
        at, key, sync, settled = value
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a moment without a zone")
        return cls(moment, str(key), str(sync), bool(settled))


def reserve(
    known: Sequence[Contacted], mine: Contacted, by_people: Iterable[Contacted], cap: Cap
) -> tuple[list[Contacted], Reason | None]:
    """Return the ledger's entries with room made for `mine`, or as they were and why there is none.

    The same row again, or the next one of a sync of whose last nobody knows what became, has a place while that is
    within the window; it counts from now on. `by_people` are the calls and messages of the company's people by the
    same channel.
    """
    entries = remembered(known, mine.at)
    same = (entry for entry in entries if entry.key == mine.key)
    unsettled = (entry for entry in entries if entry.sync == mine.sync and not entry.settled)
    repeated = next(chain(same, unsettled), None)
    others = [entry for entry in entries if entry is not repeated]
    has_place = repeated is not None and repeated.at > mine.at - timedelta(days=cap.days)
    if not has_place and (reason := reason_of_cap(others, by_people, mine.at, cap)) is not None:
        return list(known), reason
    return [*others, mine], None


def reason_of_cap(
    known: Iterable[Contacted], by_people: Iterable[Contacted], now: datetime, cap: Cap
) -> Reason | None:
    """Return why nobody may be written to now: the contact that has to grow old first, and when it has."""
    window = timedelta(days=cap.days)
    recent = sorted(
        (entry for entry in (*known, *by_people) if entry.at > now - window),
        key=lambda entry: (entry.at, entry.key),
    )
    if len(recent) < cap.most:
        return None
    blocking = recent[len(recent) - cap.most]
    return Reason(CAP, blocking.key, blocking.at + window)


def settle(known: Sequence[Contacted], key: str) -> list[Contacted]:
    """Return the entries with a message known to be sent."""
    return [replace(entry, settled=True) if entry.key == key else entry for entry in known]


def withdraw(known: Sequence[Contacted], key: str) -> list[Contacted]:
    """Return the entries without a message that was not sent."""
    return [entry for entry in known if entry.key != key]


def remembered(known: Iterable[Contacted], now: datetime) -> list[Contacted]:
    """Return the entries that are young enough to count for any cap."""
    oldest = now - timedelta(days=ContactPolicy.longest_cap_days)
    return [entry for entry in known if entry.at > oldest]
