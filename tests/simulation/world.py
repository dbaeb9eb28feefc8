"""A world of which everything is drawn from one seed: time, ids, who runs next, and what goes wrong at each I/O.

Simulated processes are threads of which exactly one runs. At each I/O point the running one hands the baton to
whomever the seed names. The harness itself is no process: what it does meets no faults and no interruption.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import process_time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
BEGIN = 1_767_571_200.0  # 2026-01-05 00:00 UTC
DAY = 86_400.0
_STEPS = 30_000  # a run that takes more I/O than this does not end
KINDS = ("before", "after", "late", "hang", "again", "torn", "crash_before", "crash_after", "crash_late")
_LOOK_SECONDS = 120.0  # real ones, between two looks whether somebody still runs
_RUNNING_SECONDS, _LONGEST_SECONDS = 0.1, 120.0  # of a processor: in that time, and of a run, which takes two
_NIGHTS = 2  # of a run: others work meanwhile, which takes its time


class Crash(BaseException):
    """The process has died. Nothing that handles errors may handle this one."""


class StuckError(Exception):
    """The simulation does not come to an end."""


@dataclass(frozen=True)
class Faults:
    """What may go wrong: kinds of `KINDS`, each as likely as its weight; `rate` is their part of all I/O."""

    rate: float = 0.0
    weights: dict[str, float] = field(default_factory=dict)
    commits: float = 1.0  # so many times likelier where a catalog commits
    switch: float = 0.3  # how often another process goes on
    asleep: float = 0.0  # how often a process sleeps between a commit and its answer
    drowsy: float = 0.0  # how often it sleeps before the commit, and wakes up late

    @classmethod
    def draw(cls, rng: Random) -> Faults:
        """Draw some kinds and leave out others: what hides behind one fault shows where that one is missing."""
        weights = {kind: rng.choice((0.0, 1.0, 1.0, 3.0)) for kind in KINDS}
        rate = rng.choice((0.0, 0.01, 0.02, 0.04, 0.08))
        commits, switch = rng.choice((1.0, 3.0, 8.0)), rng.choice((0.05, 0.3, 0.7))
        return cls(rate, weights, commits, switch, rng.choice((0.0, 0.0, 0.2)), rng.choice((0.0, 0.2)))


@dataclass(eq=False)
class Process:
    """One simulated process. `body` runs until it returns; after a crash it runs anew, remembering nothing."""

    name: str
    body: Callable[[], None]
    wake: float = 0.0
    idle: bool = False  # sleeps, but may be roused
    dead: bool = False
    done: bool = False
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class World:
    """Clock, ids, scheduler and faults of one run."""

    def __init__(self, seed: int, faults: Faults | None = None) -> None:
        self.seed = seed
        self.now = BEGIN
        self.ahead = (
            0.0  # what the processes' wall clock says beyond `now`; stores and queues have right ones
        )
        self.faults = faults or Faults()
        self.trace: list[str] = []
        self.writes = 0
        self.crash_at: tuple[int, str] | None = None  # (number of a write, "before" or "after")
        self.commits: Counter[str] = Counter()  # that processes tried, by table
        self.befalls: tuple[str, int, str] | None = None  # (table, number of its commit, what befalls that)
        self.error: BaseException | None = None
        self.current: Process | None = None
        self.crashes = 0
        # what others do while the process of this name sleeps on its commit
        self.night: Callable[[str], None] | None = None
        self.nights = 0
        self._processes: list[Process] = []
        self._late: list[tuple[float, int, str, Callable[[], Any]]] = []
        self._ended = threading.Event()
        self._streams: dict[str, Random] = {}
        self._ids = self.random("ids")
        self._schedule = self.random("schedule")
        self._misfortune = self.random("faults")

    def random(self, stream: str) -> Random:
        """Return the random numbers of one purpose: drawing more of one kind does not move the others."""
        if stream not in self._streams:
            self._streams[stream] = Random(f"{self.seed}/{stream}")
        return self._streams[stream]

    @property
    def digest(self) -> str:
        """Return what tells two schedules apart."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def note(self, text: str) -> None:
        who = self.current.name if self.current else "-"
        self.trace.append(f"{self.now - BEGIN:.3f} {who} {text}")

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def sleep(self, seconds: float) -> None:
        """Let a process wait, and the clock go on for the harness."""
        if self.current is None:
            self.now += seconds
            return
        self.current.wake = self.now + seconds
        self._switch()

    @property
    def wall(self) -> float:
        """What the processes' clock says; it may be set at any time."""
        return self.now + self.ahead

    def set_clock(self, ahead: float) -> None:
        """Set the processes' clock so many seconds ahead of the right time, or behind it."""
        self.ahead = ahead
        self.note(f"clock is set {ahead:+.0f} s")

    def idle(self, until: float) -> None:
        """Sleep until that moment, or until there is something to do."""
        me = self.current
        assert me is not None
        me.idle, me.wake = True, max(until, self.now)
        self._switch()
        me.idle = False

    def rouse(self, moment: float) -> None:
        """Let nobody who is idle sleep longer than until that moment."""
        for process in self._processes:
            if process.idle:
                process.wake = min(process.wake, moment)

    # --- processes

    def start(self, name: str, body: Callable[[], None], wake: float = 0.0) -> None:
        """Add a process; it runs once `run` is called."""
        self._processes.append(Process(name, body, wake or self.now))

    def run(self) -> None:
        """Run all processes to their ends; raises what one of them raised."""
        threads = [threading.Thread(target=self._live, args=(each,), daemon=True) for each in self._processes]
        for thread in threads:
            thread.start()
        self._go_on(self._next())
        self._wait_for_the_end()
        self.current = None
        if self.error is not None:
            raise self.error
        for thread in threads:
            thread.join(10)
        for _, _, name, effect in sorted(self._late, key=lambda each: each[:2]):
            self._take_effect(name, effect)
        self._processes, self._late = [], []

    def _wait_for_the_end(self) -> None:
        """Wait as long as somebody runs; a busy machine gives a run a small part of a processor."""
        began = used = process_time()
        while not self._ended.wait(_LOOK_SECONDS):
            before, used = used, process_time()
            if used - before < _RUNNING_SECONDS or used - began > _LONGEST_SECONDS:
                raise StuckError(f"nobody runs any more, or somebody for ever; the last was {self.current}")

    def _live(self, process: Process) -> None:
        process.turn.acquire()
        try:
            while True:
                try:
                    process.body()
                    break
                except Crash:
                    self.crashes += 1
                    process.dead = False
                    self.sleep(self._schedule.uniform(1, 600))
        except BaseException as error:  # noqa: BLE001 - told by `run`
            self.error = error
        process.done = True
        if self.error is not None or all(each.done for each in self._processes):
            self._ended.set()
        else:
            self._go_on(self._next())

    def _next(self) -> Process:
        """Choose who runs next; when all sleep, the clock jumps."""
        self.current = None
        self.now += self._schedule.uniform(0.001, 0.05)
        waiting = [each for each in self._processes if not each.done]
        while True:
            for due in sorted((each for each in self._late if each[0] <= self.now), key=lambda e: e[:2]):
                self._late.remove(due)
                self._take_effect(due[2], due[3])
            ready = [each for each in waiting if each.wake <= self.now]
            if ready:
                return self._schedule.choice(ready)
            self.now = min([each.wake for each in waiting] + [each[0] for each in self._late])

    def _go_on(self, process: Process) -> None:
        self.current = process
        process.turn.release()

    def _switch(self) -> None:
        me = self.current
        assert me is not None
        chosen = self._next()
        if chosen is me:
            self.current = me
            return
        self._go_on(chosen)
        me.turn.acquire()

    # --- input and output

    def io(
        self,
        name: str,
        effect: Callable[[], T],
        *,
        error: Callable[[bool], Exception],
        write: bool = True,
        again: Callable[[], T] | None = None,
        torn: Callable[[], None] | None = None,
    ) -> T:
        """Do something outside the process, and suffer what the seed has in store for it.

        `error(told)` makes the exception the caller sees; `told` is False where the outcome may be either.
        `again` does the same once more, as an SDK does whose answer was lost; `torn` does half of it.
        """
        me = self.current
        if me is None:
            return effect()
        if me.dead:
            raise Crash
        if len(self.trace) > _STEPS:
            raise StuckError(f"more than {_STEPS} inputs and outputs")
        if self._schedule.random() < self.faults.switch:
            self._switch()
        if write:
            self.writes += 1
            if self.crash_at is not None and self.writes == self.crash_at[0]:
                return self._suffer(f"crash_{self.crash_at[1]}", name, effect, error)
        kind = self._befalls(name) or self._fault(name, write, again, torn)
        self.note(f"{name} {kind}" if kind else name)
        if kind is None:
            return effect()
        if kind == "again" and again is not None:
            effect()
            return again()
        if kind == "torn" and torn is not None:
            torn()
            raise error(False)
        if kind in ("drowsy", "asleep", "refused"):
            return self._sleep_on(kind, effect, error, again)
        return self._suffer(kind, name, effect, error)

    def _sleep_on(
        self,
        kind: str,
        effect: Callable[[], T],
        error: Callable[[bool], Exception],
        again: Callable[[], T] | None,
    ) -> T:
        """Sleep while others commit and expire, `drowsy` before taking effect, which then comes late.

        Or after it: what took effect may have expired, and the answer is never heard (`asleep`) or is a refusal.
        """
        if kind == "drowsy":
            self._let_a_night_pass()
            return effect()
        effect()
        self._let_a_night_pass()
        if again is not None and kind == "refused":
            return again()
        raise error(False)

    def _befalls(self, name: str) -> str | None:
        operation, _, table = name.partition(" ")
        if operation != "commit":
            return None
        self.commits[table] += 1
        if self.befalls is None or self.befalls[:2] != (table, self.commits[table]):
            return None
        return self.befalls[2]

    def _let_a_night_pass(self) -> None:
        assert self.night is not None
        assert self.current is not None
        self.nights += 1
        me, self.current = self.current, None
        try:
            self.night(me.name)
        except Exception as failed:  # noqa: BLE001 - `run` tells it: a night has no faults
            self.error = failed
        finally:
            self.current = me

    def _fault(self, name: str, write: bool, again: Any, torn: Any) -> str | None:
        may_sleep = name.startswith("commit ") and self.night is not None and self.nights < _NIGHTS
        if may_sleep:
            sleepy = self._misfortune.random()
            if sleepy < self.faults.asleep + self.faults.drowsy:
                after = sleepy < self.faults.asleep
                return self._misfortune.choice(("asleep", "refused")) if after else "drowsy"
        rate = self.faults.rate * (self.faults.commits if name.startswith("commit ") else 1)
        if self._misfortune.random() >= rate:
            return None
        kinds = {"before", "hang", "crash_before"} if not write else set(KINDS)
        kinds -= {kind for kind, means in (("again", again), ("torn", torn)) if means is None}
        possible = [(kind, self.faults.weights.get(kind, 0.0)) for kind in KINDS if kind in kinds]
        if not sum(weight for _, weight in possible):
            return None
        return self._misfortune.choices([k for k, _ in possible], [w for _, w in possible])[0]

    def _suffer(self, kind: str, name: str, effect: Callable[[], T], error: Callable[[bool], Exception]) -> T:
        me = self.current
        assert me is not None
        if kind == "hang":  # before it takes effect, or afterwards
            seconds = self._misfortune.choice((1.0, 60.0, 3_600.0))
            if self._misfortune.random() < 0.5:
                self.sleep(seconds)
                return effect()
            result = effect()
            self.sleep(seconds)
            return result
        if kind.endswith("after"):
            with suppress(Exception):  # a refusal is as lost as any other answer
                effect()
        elif kind.endswith("late"):
            delays = (0.01, 1.0, 60.0, 7_200.0) if self.befalls is None else (0.01,)
            due = self.now + self._misfortune.choice(delays)
            self._late.append((due, len(self.trace), name, effect))
        if kind.startswith("crash"):
            me.dead = True
            raise Crash
        raise error(kind == "before")

    def _take_effect(self, name: str, effect: Callable[[], Any]) -> None:
        """Let take effect what its caller gave up long ago; an error of it reaches nobody."""
        try:
            effect()
            self.note(f"{name} at last")
        except Exception as error:  # noqa: BLE001
            self.note(f"{name} at last refused: {type(error).__name__}")
