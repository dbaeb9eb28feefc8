"""The state of a sync on the object store: one object while it is small, else one a shard of its addresses.

It is a copy of what the log says, so that planning stays short: `fold.rebuild` makes it from nothing. Only where old
runs are cleared away is it needed. A shard says by itself up to which run it is folded, so a planner that dies between
two of them, or overwrites one with an older one, does no harm.

`outbound/<sync>/state.json.gz`, or `outbound/<sync>/state/<shards>/<shard>.json.gz` when `shards.json` names a number.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lakehouse import objects, telemetry
from lakehouse.outbound import log
from lakehouse.outbound.acknowledged import State, state_from_json
from lakehouse.outbound.policy import LogPolicy
from lakehouse.outbound.records import plain
from lakehouse.outbound.spool import part_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.settings import Settings


@dataclass(frozen=True, slots=True)
class Shards:
    """Into how many shards a state is cut, up to which run all of them are folded, and their entries in all."""

    count: int = 1
    through: str = ""
    entries: int = 0


def wanted_shards(entries: int, at_least: int = 1) -> int:
    """Return into how many shards a state of that many entries is cut: a power of two."""
    count = at_least
    while count * LogPolicy.shard_rows < entries and count < LogPolicy.most_shards:
        count *= 2
    return count


class SnapshotLostError(Exception):
    """A shard is not there, or damaged: what the others say up to their run does not help it."""


def read_shards(settings: Settings, sync: str) -> Shards:
    """Return how a sync's state is cut; of a small one, what its only object says."""
    body = objects.get(settings.ops_bucket, f"{log.ROOT}{sync}/shards.json")
    if body is not None:
        try:
            return Shards(**json.loads(body))
        except (ValueError, TypeError):
            telemetry.warn("outbound snapshot unreadable; folding from the start", sync=sync)
            return Shards()
    state = read_state(settings, sync, Shards(), 0)
    return Shards(1, state.through, state.entries())


def write_shards(settings: Settings, sync: str, shards: Shards) -> None:
    """Write how a sync's state is cut, once every shard is written; nothing for one that is a single object."""
    if shards.count > 1:
        key = f"{log.ROOT}{sync}/shards.json"
        objects.put(settings.ops_bucket, key, json.dumps(asdict(shards)).encode())


def read_state(settings: Settings, sync: str, shards: Shards, shard: int) -> State:
    """Return a shard as its object says; an empty one where a single object is not there or damaged.

    Raises SnapshotLostError for one of several.
    """
    packed = objects.get(settings.ops_bucket, _key(sync, shards.count, shard))
    try:
        if packed is not None:
            return state_from_json(json.loads(gzip.decompress(packed)))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError):
        telemetry.warn("outbound snapshot unreadable; folding from the start", sync=sync)
    if shards.count > 1:
        raise SnapshotLostError
    return State()


def write_state(settings: Settings, sync: str, count: int, shard: int, state: State) -> None:
    """Write a shard of `count`."""
    objects.put(settings.ops_bucket, _key(sync, count, shard), packed(state), "application/gzip")


def packed(state: State) -> bytes:
    """Return a state as its object holds it."""
    value = plain(state)
    for name in ("acknowledged", "missed", "strays"):
        value[name] = {key: plain(entry) for key, entry in value[name].items()}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), 1, mtime=0)


def split(state: State) -> Iterator[tuple[int, str, str, object]]:
    """Yield a state's entries as (part, kind, key, value in JSON), to be joined again by `add_entry`."""
    for address, held in state.acknowledged.items():
        yield part_of(address), "acknowledged", address, plain(held)
    for key, missed in state.missed.items():
        yield part_of(_address_of(state, key)), "missed", key, plain(missed)
    for crm_id, stray in state.strays.items():
        yield part_of(stray.id), "strays", crm_id, plain(stray)
    for customer_id, reason in state.left_out.items():
        yield part_of(customer_id), "left_out", customer_id, reason


def join(through: str, entries: Iterator[list[object]]) -> State:
    """Return the state that these entries, as lists of kind, key and value, make."""
    made: dict[str, dict[str, object]] = {"acknowledged": {}, "missed": {}, "strays": {}, "left_out": {}}
    for kind, key, value in entries:
        made[str(kind)][str(key)] = value
    return state_from_json({"through": through, **made})


def _address_of(state: State, key: str) -> str:
    stray = state.strays.get(key.removeprefix("#")) if key.startswith("#") else None
    return key if stray is None else stray.id


def _key(sync: str, count: int, shard: int) -> str:
    if count == 1:
        return f"{log.ROOT}{sync}/state.json.gz"
    return f"{log.ROOT}{sync}/state/{count:04d}/{shard:04d}.json.gz"
