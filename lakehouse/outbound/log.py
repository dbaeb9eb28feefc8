"""The outbound log: objects in the ops bucket that say what was planned, claimed, sent and answered.

`outbound/<sync>/<run>/run.json` makes a run real. Runs are numbered; the number is taken by a conditional
write, so there is one run a number. Its chunks were written before, under names that carry the hash of the
plan: a planner that lost leaves chunks that nobody names, and never mixes them with the winner's.
`outbound/<sync>/<run>/<chunk>/` holds `rows.json`, `claim.json` (`claim-2.json`, …), `outcome.json` and perhaps
`waiting.json`: since when it waits for the consent projection.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lakehouse import objects, telemetry
from lakehouse.errors import Terminal
from lakehouse.outbound.policy import DeliveryPolicy, LogPolicy
from lakehouse.outbound.records import Chunk, Outcome, Run
from lakehouse.steady_clock import SteadyTime, read_steady

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakehouse.settings import Settings

ROOT = "outbound/"

# What a person does about an object that is damaged: nothing here is written twice, and the bucket keeps versions.
_RESTORE = "restore its previous version; the bucket keeps those"
_RESTORE_OUTCOME = f"{_RESTORE}, or delete it: its chunk is then sent again"
_LONG_AGO = datetime.fromtimestamp(0, UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's word that it is sending a chunk, good from `claimed_at` to `expires_at`. `attempt` counts from 1.

    `clock` and `claimed_at_seconds` are the moment of the claim on the steady clock of the worker's machine, if that
    has one.
    """

    token: str
    attempt: int
    claimed_at: str
    expires_at: str
    clock: str = ""
    claimed_at_seconds: float = 0.0

    def remaining(self, now: datetime, steady: SteadyTime) -> timedelta:
        """Return for how long the worker may still be at it; zero when the claim is over.

        The steady clock counts where the claim was made by the same: how often the wall clock was set meanwhile, and
        where to, changes nothing then. By wall clocks alone, a claim from the future is over: the clock was set back
        since, and nobody knows when its lease ends.
        """
        claimed, expires = map(datetime.fromisoformat, (self.claimed_at, self.expires_at))
        elapsed = steady.seconds_since(SteadyTime(self.clock, self.claimed_at_seconds))
        if elapsed is not None:
            return max(expires - claimed - timedelta(seconds=elapsed), timedelta())
        from_future = claimed > now + DeliveryPolicy.clock_difference
        return timedelta() if from_future else max(expires - now, timedelta())

    def lives(self, now: datetime, steady: SteadyTime) -> bool:
        """Return whether the worker may still be at it."""
        return self.remaining(now, steady) > timedelta()


def syncs(settings: Settings) -> list[str]:
    """Return the names of the syncs that have a log."""
    return list(objects.list_folders(settings.ops_bucket, ROOT))


def runs(settings: Settings, sync: str, after: str = "") -> Iterator[Run]:
    """Yield a sync's runs in order, those after the run `after` only."""
    for name in objects.list_folders(settings.ops_bucket, f"{ROOT}{sync}/", after):
        if (planned := run(settings, sync, name)) is not None:
            yield planned


def run(settings: Settings, sync: str, name: str) -> Run | None:
    """Return one run, or None when nobody committed it."""
    return objects.get_json(settings.ops_bucket, f"{ROOT}{sync}/{name}/run.json", _as_run, _RESTORE)


def write_run(settings: Settings, planned: Run, chunks: Iterable[Chunk]) -> Run:
    """Write the chunks, then take the run's number; return the run that has it, which may be another's."""
    with ThreadPoolExecutor(LogPolicy.threads) as pool:
        list(pool.map(lambda made: _write_chunk(settings, made), chunks))
    key = f"{ROOT}{planned.sync}/{planned.run}/run.json"
    standing = objects.put_once(settings.ops_bucket, key, _json(planned.to_json()))
    return objects.parse_json(settings.ops_bucket, key, standing, _as_run, _RESTORE)


def open_chunks(settings: Settings, planned: Run) -> dict[str, int]:
    """Return the run's chunks that have no outcome, each with how often it has been claimed."""
    waiting = dict.fromkeys(planned.chunk_ids(), 0)
    for key in objects.list_keys(settings.ops_bucket, f"{ROOT}{planned.sync}/{planned.run}/"):
        name, _, kind = key.partition("/")
        if kind == "outcome.json":
            waiting.pop(name, None)
        elif kind.startswith("claim") and name in waiting:
            waiting[name] += 1
    return waiting


def chunk(settings: Settings, sync: str, run_name: str, name: str) -> Chunk:
    """Return a chunk's rows. Terminal when there is no such chunk."""
    key = f"{_folder(sync, run_name, name)}rows.json"
    found = objects.get_json(settings.ops_bucket, key, Chunk.from_json, _RESTORE)
    if found is None:
        raise Terminal(f"sync {sync} has no chunk {name} in run {run_name}; was the ops bucket emptied?")
    return found


def outcome(settings: Settings, sync: str, run_name: str, name: str) -> Outcome | None:
    """Return what became of a chunk, or None while that is open."""
    key = f"{_folder(sync, run_name, name)}outcome.json"
    return objects.get_json(settings.ops_bucket, key, Outcome.from_json, _RESTORE_OUTCOME)


def outcomes(settings: Settings, planned: Run) -> list[tuple[str, Outcome | None]]:
    """Return the outcome of each of the run's chunks, in order."""
    names = planned.chunk_ids()
    with ThreadPoolExecutor(LogPolicy.threads) as pool:
        read = pool.map(lambda name: outcome(settings, planned.sync, planned.run, name), names)
        return list(zip(names, read, strict=True))


def write_outcome(settings: Settings, made: Outcome) -> Outcome:
    """Write what became of a chunk and return what stands: the first outcome, whoever wrote it."""
    key = f"{_folder(made.sync, made.run, made.chunk)}outcome.json"
    standing = objects.put_once(settings.ops_bucket, key, _json(asdict(made)))
    return objects.parse_json(settings.ops_bucket, key, standing, Outcome.from_json, _RESTORE_OUTCOME)


def read_claim(settings: Settings, sync: str, run_name: str, name: str, attempt: int) -> Claim | None:
    """Return a chunk's n-th claim, dead or alive; None when there are not that many.

    One that is damaged counts as long over: it names nobody, and the chunk must not wait for nobody.
    """
    if not attempt:
        return None
    key = _claim_key(_folder(sync, run_name, name), attempt)
    try:
        return objects.get_json(settings.ops_bucket, key, _as_claim, "it counts as over")
    except objects.DamagedObjectError as error:
        telemetry.warn(
            "claim unreadable, it counts as over", sync=sync, run=run_name, chunk=name, reason=str(error)
        )
        return Claim("", attempt, _LONG_AGO, _LONG_AGO)


def claim(
    settings: Settings, sync: str, run_name: str, name: str, now: datetime, lease: timedelta
) -> Claim | None:
    """Claim a chunk for `lease`, or return None: somebody else is sending it."""
    taken = sum(1 for _ in objects.list_keys(settings.ops_bucket, f"{_folder(sync, run_name, name)}claim"))
    before = read_claim(settings, sync, run_name, name, taken)
    steady = read_steady(settings)
    if before is not None and before.lives(now, steady):
        return None
    attempt = 1 if before is None else before.attempt + 1
    expires = now + lease
    mine = Claim(uuid4().hex, attempt, now.isoformat(), expires.isoformat(), steady.clock, steady.seconds)
    key = _claim_key(_folder(sync, run_name, name), attempt)
    # 412 alone is no verdict: the SDK may have been refused by its own first write.
    standing = objects.put_once(settings.ops_bucket, key, _json(asdict(mine)))
    return mine if standing == _json(asdict(mine)) else None


def release(settings: Settings, sync: str, run_name: str, name: str, mine: Claim) -> None:
    """End one's own claim early: nothing is under way any more, the next worker need not wait.

    It is then one that never lasted, so that no clock can bring it back to life.
    """
    ended = replace(mine, expires_at=mine.claimed_at)
    objects.put(
        settings.ops_bucket, _claim_key(_folder(sync, run_name, name), mine.attempt), _json(asdict(ended))
    )


def waiting_since(settings: Settings, waiting: Chunk, now: datetime) -> datetime:
    """Return since when a chunk waits for the consent projection: from its first call on, which notes it."""
    key = f"{_folder(waiting.sync, waiting.run, waiting.chunk)}waiting.json"
    note = _json({"since": now.isoformat()})
    first = objects.put_once(settings.ops_bucket, key, note)
    try:
        since = datetime.fromisoformat(json.loads(first)["since"])
        is_from_future = since > now + DeliveryPolicy.clock_difference  # the clock was set back since
    except (ValueError, KeyError, TypeError):  # damaged
        is_from_future = True
    if is_from_future:
        objects.put(settings.ops_bucket, key, note)
        return now
    return since


def _as_run(value: dict[str, Any]) -> Run:
    return Run(**value)


def _as_claim(value: dict[str, Any]) -> Claim:
    claim = Claim(**value)
    if datetime.fromisoformat(claim.expires_at).tzinfo is None:
        raise ValueError("a moment without a zone")
    return claim


def _write_chunk(settings: Settings, made: Chunk) -> None:
    key = f"{_folder(made.sync, made.run, made.chunk)}rows.json"
    objects.put_once(settings.ops_bucket, key, _json(asdict(made)))  # the same plan made before says the same


def _claim_key(folder: str, attempt: int) -> str:
    return f"{folder}claim.json" if attempt == 1 else f"{folder}claim-{attempt}.json"


def _folder(sync: str, run_name: str, name: str) -> str:
    return f"{ROOT}{sync}/{run_name}/{name}/"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
