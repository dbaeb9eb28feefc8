"""The one ledger of whom was written to, by channel and customer, in the ops bucket; every sync reserves in it.

A channel's customers are cut into shards by a hash, and `contacts/<channel>/!<shard>/<number>.json` is a version of the
entries of one shard: the newest counts, and is never overwritten. Of two writers at once the second is refused, and
decides anew. One shard is in memory at a time, a 256th of the people whom a channel wrote to within
`ContactPolicy.longest_cap_days`.

Before December 2026 each customer had versions of its own, `contacts/<channel>/<customer>/<number>.json`. They are read
for who is in no shard, until the bucket's lifecycle has deleted them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from lakehouse import objects, telemetry
from lakehouse.errors import Transient
from lakehouse.outbound.policies.caps import Contacted, remembered
from lakehouse.outbound.policy import CHANGE_LEDGER, LogPolicy
from lakehouse.retrying import retry_on_conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from lakehouse.settings import Settings

T = TypeVar("T")
ROOT: Final = "contacts/"
SHARDS: Final = 256  # of a channel; where a customer's entries stand goes by it, so it stays
_MARK: Final = "!"  # begins a shard's name; no customer's folder does, and it sorts before all of them
_AFTER_SHARDS: Final = f"{_MARK}~"

Entries = list[Contacted]
Decide = Callable[[Entries], tuple[Entries, T]]


@dataclass(slots=True)
class _Shard:
    """A shard as it was read: the number of its newest version, and what counts, by customer."""

    number: int = 0
    people: dict[str, Entries] = field(default_factory=dict)


class _OvertakenError(Exception):
    """Another writer was first."""


def shard_of(customer_id: str) -> int:
    """Return the shard of a customer's entries, the same in each channel."""
    return hashlib.sha256(customer_id.encode()).digest()[0] % SHARDS


def read(settings: Settings, channel: str, customer_ids: Iterable[str]) -> dict[str, Entries]:
    """Return the entries of customers."""
    has_old = _has_old(settings, channel)

    def of_shard(shard: int, customers: Iterable[str]) -> dict[str, Entries]:
        people = _newest(settings, _folder(channel, shard)).people
        return {name: _entries_of(settings, channel, people, name, has_old) for name in customers}

    found: dict[str, Entries] = {}
    for entries in _by_shard(of_shard, _grouped(sorted(set(customer_ids)), shard_of)):
        found |= entries
    return found


def change(
    settings: Settings,
    channel: str,
    decisions: Sequence[tuple[str, Decide[T]]],
    now: datetime | None = None,
) -> list[T]:
    """Write what each decision makes of its customer's entries, and return what each says beside them, in order.

    A decision is asked again where others wrote meanwhile. The customers of one shard are written at once, also when
    another shard cannot be. `now`: what is too old for any cap by then is forgotten. Transient when others always win.
    """
    has_old = bool(decisions) and _has_old(settings, channel)
    numbered = list(enumerate(decisions))
    answers: dict[int, T] = {}

    def of_shard(shard: int, of_it: Sequence[tuple[int, tuple[str, Decide[T]]]]) -> dict[int, T]:
        attempt = partial(_change_shard, settings, channel, shard, of_it, has_old, now)
        try:
            return retry_on_conflict(attempt, CHANGE_LEDGER, conflicts=(_OvertakenError,))
        except _OvertakenError:
            raise Transient(
                "the ledger of contacts could not be written: others write the same shard; try again"
            ) from None

    for of_shard_answers in _by_shard(of_shard, _grouped(numbered, lambda one: shard_of(one[1][0]))):
        answers |= of_shard_answers
    return [answers[number] for number, _ in numbered]


def _change_shard(
    settings: Settings,
    channel: str,
    shard: int,
    decisions: Sequence[tuple[int, tuple[str, Decide[T]]]],
    has_old: bool,
    now: datetime | None,
) -> dict[int, T]:
    """Read a shard, let all decisions act on it, and write it where that changed it; raises _OvertakenError."""
    folder = _folder(channel, shard)
    known = _newest(settings, folder)
    answers: dict[int, T] = {}
    is_changed = False
    for number, (customer_id, decide) in decisions:
        before = _entries_of(settings, channel, known.people, customer_id, has_old)
        after, answers[number] = decide(before)
        is_changed = is_changed or after != before
        known.people[customer_id] = after
    if is_changed:
        body = _body(known.people, has_old, now)
        key = f"{folder}{known.number + 1:08d}.json"
        if objects.put_once(settings.ops_bucket, key, body) != body:
            raise _OvertakenError
    return answers


def _body(people: dict[str, Entries], has_old: bool, now: datetime | None) -> bytes:
    """Return a shard as its object holds it. Who has no entry is left out, unless an old one would count again."""
    kept = people if now is None else {name: remembered(entries, now) for name, entries in people.items()}
    listed = {
        name: [entry.to_json() for entry in entries]
        for name, entries in sorted(kept.items())
        if entries or has_old
    }
    return json.dumps({"people": listed}, separators=(",", ":")).encode()


def _newest(settings: Settings, folder: str) -> _Shard:
    """Return the newest version of a shard; of one that is damaged, what the version before it says."""
    number, people = _newest_version(settings, folder, _people)
    return _Shard(number, people or {})


def _newest_version(settings: Settings, folder: str, parse: Callable[[Any], T]) -> tuple[int, T | None]:
    """Return the number of the newest version below a folder, and what the newest one says that can be read."""
    names = sorted(objects.list_keys(settings.ops_bucket, folder), reverse=True)
    number = int(names[0].partition(".")[0]) if names else 0
    for name in names:
        try:
            found = objects.get_json(
                settings.ops_bucket, folder + name, parse, "the version before it counts"
            )
        except objects.DamagedObjectError as error:
            telemetry.warn("version of the ledger of contacts unreadable", reason=str(error))
            continue
        return number, found
    return number, None


def _people(value: Any) -> dict[str, Entries]:
    return {name: _entries(entries) for name, entries in value["people"].items()}


def _entries(value: object) -> Entries:
    if not isinstance(value, list):
        raise TypeError("not entries of the ledger")
    return [Contacted.from_json(entry) for entry in value]


def _entries_of(
    settings: Settings, channel: str, people: dict[str, Entries], customer_id: str, has_old: bool
) -> Entries:
    """Return a customer's entries: those of the shard, else those of the customer's own versions."""
    if customer_id in people or not has_old:
        return people.get(customer_id, [])
    folder = f"{ROOT}{channel}/{quote(customer_id, safe='')}/"
    return _newest_version(settings, folder, _entries)[1] or []


def _has_old(settings: Settings, channel: str) -> bool:
    """Return whether a channel has customers with versions of their own."""
    folders = objects.list_folders(settings.ops_bucket, f"{ROOT}{channel}/", after=_AFTER_SHARDS)
    return next(iter(folders), None) is not None


def _folder(channel: str, shard: int) -> str:
    return f"{ROOT}{channel}/{_MARK}{shard:02x}/"


def _grouped(items: Iterable[T], shard: Callable[[T], int]) -> dict[int, list[T]]:
    groups: dict[int, list[T]] = {}
    for item in items:
        groups.setdefault(shard(item), []).append(item)
    return groups


def _by_shard(of_shard: Callable[[int, list[Any]], T], groups: dict[int, list[Any]]) -> list[T]:
    """Do something for each shard, several at once; the first error is raised when all are done."""
    with ThreadPoolExecutor(LogPolicy.threads) as pool:
        return list(pool.map(of_shard, groups, groups.values()))
