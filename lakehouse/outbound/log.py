"""The outbound log: objects in the ops bucket that say what was planned, claimed, sent and answered.

`outbound/<sync>/<run>/run.json` makes a run real. Runs are numbered; the number is taken by a conditional
write, so there is one run a number. Its chunks were written before, under names that carry the hash of the
plan: a planner that lost leaves chunks that nobody names, and never mixes them with the winner's.
`outbound/<sync>/<run>/<chunk>/` holds `rows.json`, `claim.json` (`claim-2.json`, …), `outcome.json` and perhaps
`waiting.json`: since when it waits for the consent projection. A run that is closed before all its chunks are done has
`closing.json`, from which on no chunk of it is begun, and `closed.json`, which says what the others count as.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lakehouse import objects, telemetry
from lakehouse.batching import Limit, batches
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
    nothing_left: bool = False  # it ended before anything was sent

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


@dataclass(frozen=True, slots=True)
class Closed:
    """What the chunks without an outcome of a run count as that was closed early.

    `unsent`: never begun, or nothing of them has left. `uncertain`: an attempt broke off, and may have written.
    """

    at: str
    unsent: list[str]
    uncertain: list[str]


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


def latest_run(settings: Settings, sync: str) -> Run | None:
    """Return a sync's latest run that somebody committed; None before the first."""
    names = sorted(objects.list_folders(settings.ops_bucket, f"{ROOT}{sync}/"), reverse=True)
    found = (run(settings, sync, name) for name in names if name.isdecimal())
    return next((planned for planned in found if planned is not None), None)


def closed(settings: Settings, planned: Run) -> Closed | None:
    """Return what the rest of a run counts as that was closed early; None where it was not."""
    return closed_run(settings, planned.sync, planned.run)


def closed_run(settings: Settings, sync: str, run_name: str) -> Closed | None:
    """Return the same by the run's name."""
    key = f"{ROOT}{sync}/{run_name}/closed.json"
    return objects.get_json(settings.ops_bucket, key, lambda value: Closed(**value), _RESTORE)


def write_closed(settings: Settings, planned: Run, made: Closed) -> None:
    """Write what the rest of a run counts as; the first word stands."""
    key = f"{ROOT}{planned.sync}/{planned.run}/closed.json"
    objects.put_unless_there(settings.ops_bucket, key, _json(asdict(made)))


def begin_closing(settings: Settings, planned: Run, now: datetime) -> None:
    """Let no chunk of a run be begun from now on: whoever claims one looks for this afterwards."""
    key = _closing_key(planned.sync, planned.run)
    objects.put_unless_there(settings.ops_bucket, key, _json({"at": now.isoformat()}))


def is_closing(settings: Settings, sync: str, run_name: str) -> bool:
    """Return whether no chunk of a run may be begun any more."""
    return objects.get(settings.ops_bucket, _closing_key(sync, run_name)) is not None


def is_to_be_announced(settings: Settings, planned: Run, now: datetime) -> bool:
    """Return whether the messages of a run's chunks were not sent for a while, or not at all; some may be lost."""
    key = _announced_key(planned)
    try:
        at = objects.get_json(settings.ops_bucket, key, _noted_moment, "it is written anew")
    except objects.DamagedObjectError:
        return True
    return at is None or not timedelta() <= now - at < DeliveryPolicy.announce_again


def note_announced(settings: Settings, planned: Run, now: datetime) -> None:
    """Note when the messages of a run's chunks were sent."""
    objects.put(settings.ops_bucket, _announced_key(planned), _json({"at": now.isoformat()}))


def write_run(settings: Settings, planned: Run, chunks: Iterable[Chunk]) -> Run:
    """Write the chunks, then take the run's number; return the run that has it, which may be another's."""
    with ThreadPoolExecutor(LogPolicy.threads) as pool:
        rows: Limit[Chunk] = Limit(lambda made: len(made.rows), LogPolicy.rows_read)
        for some in batches(chunks, rows, count=LogPolicy.chunks_read):
            list(pool.map(lambda made: _write_chunk(settings, made), some))
    key = f"{ROOT}{planned.sync}/{planned.run}/run.json"
    standing = objects.put_once(settings.ops_bucket, key, _json(planned.to_json()))
    return objects.parse_json(settings.ops_bucket, key, standing, _as_run, _RESTORE)


def open_chunks(settings: Settings, planned: Run) -> dict[str, int]:
    """Return the run's chunks that have no outcome, each with how often it has been claimed; none of a closed run."""
    waiting = dict.fromkeys(planned.chunk_ids(), 0)
    for key in objects.list_keys(settings.ops_bucket, f"{ROOT}{planned.sync}/{planned.run}/"):
        name, _, kind = key.partition("/")
        if name == "closed.json":
            return {}
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
    standing = objects.put_once(settings.ops_bucket, key, _json(made.to_json()))
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


def release(
    settings: Settings, sync: str, run_name: str, name: str, mine: Claim, *, nothing_left: bool = False
) -> None:
    """End one's own claim early: nothing is under way any more, the next worker need not wait.

    It is then one that never lasted, so that no clock can bring it back to life. `nothing_left`: for certain nothing of
    the chunk was sent.
    """
    ended = replace(mine, expires_at=mine.claimed_at, nothing_left=nothing_left)
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


def may_be_sent(settings: Settings, sync: str, run_name: str, name: str, claims: int) -> bool:
    """Return whether one of the first `claims` attempts at a chunk may have sent something of it."""
    made = (read_claim(settings, sync, run_name, name, attempt) for attempt in range(1, claims + 1))
    return any(claim is None or not claim.nothing_left for claim in made)


def _as_run(value: dict[str, Any]) -> Run:
    return Run(**value)


def _as_claim(value: dict[str, Any]) -> Claim:
    claim = Claim(**value)
    if datetime.fromisoformat(claim.expires_at).tzinfo is None:
        raise ValueError("a moment without a zone")
    return claim


def _write_chunk(settings: Settings, made: Chunk) -> None:
    key = f"{_folder(made.sync, made.run, made.chunk)}rows.json"
    objects.put_once(
        settings.ops_bucket, key, _json(made.to_json())
    )  # the same plan made before says the same


def _claim_key(folder: str, attempt: int) -> str:
    return f"{folder}claim.json" if attempt == 1 else f"{folder}claim-{attempt}.json"


def _noted_moment(value: dict[str, Any]) -> datetime:
    moment = datetime.fromisoformat(value["at"])
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment


def _announced_key(planned: Run) -> str:
    return f"{ROOT}{planned.sync}/{planned.run}/announced.json"


def _closing_key(sync: str, run_name: str) -> str:
    return f"{ROOT}{sync}/{run_name}/closing.json"


def _folder(sync: str, run_name: str, name: str) -> str:
    return f"{ROOT}{sync}/{run_name}/{name}/"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
