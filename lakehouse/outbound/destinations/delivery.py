"""Rows in requests: as many as a destination takes, none twice in one, halved where one row spoils the rest.

What every destination over HTTP shares. A new one says how a request is made of rows, and what an answer says of each.
"""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Literal

from lakehouse import telemetry
from lakehouse.batching import batches
from lakehouse.errors import LakehouseError, Terminal, Transient
from lakehouse.outbound.destinations import Answer, NothingWritten, NotSent
from lakehouse.outbound.destinations.exchange import Answered, Asking, Lost, Refused
from lakehouse.outbound.destinations.limits import NoLimit
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lakehouse.outbound.destinations import Declared
    from lakehouse.outbound.destinations.definition import Rate
    from lakehouse.outbound.destinations.limits import Limit
    from lakehouse.outbound.records import Action, Chunk, Row

Answers = dict[int, Answer]
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def chunks_at_once(rate: Rate | None) -> int:
    """Return how many chunks one call of `publish` delivers at once: one fills a slow rate, and no known one is risked.

    A chunk waits for the store longer than for the destination, so that one after another leaves a high rate unused.
    """
    if rate is None:
        return 1
    fills = int(rate.requests / rate.seconds / RequestPolicy.rate_of_one)
    return max(min(fills, RequestPolicy.most_at_once), 1)


def at_once_in_all(rate: Rate | None) -> int:
    """Return how many chunks all calls of `publish` deliver at once to a destination of that rate."""
    return RequestPolicy.workers * chunks_at_once(rate)


def chunk_rows(declared: Declared, most: int = RequestPolicy.chunk_rows) -> int:
    """Return how many rows a chunk has at most, so that the destination's rate leaves it time enough."""
    if declared.rate is None:
        return most
    requests = declared.rate.requests * RequestPolicy.paced_seconds / declared.rate.seconds
    within_rate = max(int(requests / at_once_in_all(declared.rate)), 1) * declared.batch
    return min(most, within_rate)


class Pace:
    """Keeps a worker within its part of a destination's rate: it waits before a request that came too early.

    `workers` share the rate. Threads may share one worker's.
    """

    def __init__(
        self,
        declared: Declared,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        workers: int = RequestPolicy.workers,
    ) -> None:
        rate = declared.rate
        self._apart = rate.seconds * workers / rate.requests if rate is not None else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = 0.0
        self._turn = Lock()

    def wait(self) -> None:
        """Wait until the next request may leave."""
        with self._turn:
            now = self._clock()
            place = max(now, self._next)
            self._next = place + self._apart
        if self._apart and now < place:
            self._sleep(place - now)


@dataclass
class Delivery:
    """Sends the rows of one chunk, and knows whether any may have been written."""

    declared: Declared
    pace: Pace
    may_be_written: bool = False
    _waiting: deque[tuple[list[Row], bool]] = field(default_factory=deque)

    def run(self, rows: Sequence[Row], ask: Callable[[list[Row]], Answered[Answers]]) -> Answers:
        """Return an answer for each row. `ask` sends one request and raises as `until_answered`.

        Raises NotSent when nothing was written, and of an idempotent destination Transient and Terminal. Any other
        says of each row what became of it, so that none of those that were written is forgotten.
        """
        answers: Answers = {}
        self._waiting.extend((batch, False) for batch in requests(rows, self.declared.batch))
        while self._waiting:
            batch, lost = self._waiting.popleft()
            try:
                answers |= self._settle(batch, lost, ask)
            except LakehouseError as error:
                self.may_be_written |= isinstance(error, Lost)
                if self.declared.idempotent or not self.may_be_written:
                    raise self._as_it_is(error) from None
                telemetry.failed("a destination takes no more of a chunk", error, reason=str(error))
                answers |= self._left_over(batch, lost or isinstance(error, Lost))
        return answers

    def _settle(self, batch: list[Row], lost: bool, ask: Callable[[list[Row]], Answered[Answers]]) -> Answers:
        """Ask once; of a request that is refused as a whole, send the halves next."""
        self.pace.wait()
        try:
            answered = ask(batch)
        except Refused as refused:
            lost = lost or refused.after_lost
            self.may_be_written = self.may_be_written or refused.after_lost
            if len(batch) == 1:
                return {batch[0].row: self._known(Answer("failed", refused.code), lost)}
            middle = len(batch) // 2
            self._waiting.extendleft(((batch[middle:], lost), (batch[:middle], lost)))
            return {}
        found = {
            row.row: answered.value.get(row.row, Answer("failed", "NOT_WRITTEN", uncertain=True))
            for row in batch
        }
        settled = {
            number: self._known(answer, lost or answered.after_lost) for number, answer in found.items()
        }
        self.may_be_written |= any(answer.fate != "not sent" for answer in settled.values())
        return settled

    def _known(self, answer: Answer, lost: bool) -> Answer:
        """Return an answer that says that an earlier try may have written the row, and whether it may go again."""
        if answer.status != "failed" or not (lost or answer.uncertain):
            return answer
        if self.declared.idempotent:
            return replace(answer, uncertain=True)
        return Answer("unknown", answer.code)

    def _left_over(self, batch: list[Row], lost: bool) -> Answers:
        """Return the answers for a request that brought none, and for those that were not sent after it."""
        of_batch = Answer("unknown", "NO_ANSWER") if lost else Answer("failed", "NOT_SENT_YET")
        answers = {row.row: of_batch for row in batch}
        for rows, may_be_written in self._waiting:
            answers |= {
                row.row: self._known(Answer("failed", "NOT_SENT_YET"), may_be_written) for row in rows
            }
        self._waiting.clear()
        return answers

    def _as_it_is(self, error: LakehouseError) -> LakehouseError:
        """Return an error that says whether anything was written, as far as that is known."""
        self._waiting.clear()
        if isinstance(error, NotSent) and self.may_be_written:
            return Transient(str(error))
        if isinstance(error, Terminal) and not self.declared.idempotent:
            return NothingWritten(str(error))
        return error


def requests(rows: Sequence[Row], count: int) -> Iterator[list[Row]]:
    """Yield rows in lists of at most `count`, in which nobody stands twice; who comes again is in a later one."""
    waves: list[list[Row]] = []
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        name = (row.id.casefold(), row.crm_id)
        wave = seen.get(name, 0)
        seen[name] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(row)
    for wave_rows in waves:
        yield from batches(wave_rows, count=count)


def is_sendable(row: Row) -> bool:
    """Return whether a row's id is one line of text: a control character in it is no part of any address."""
    return bool(row.id) and _CONTROL.search(row.id) is None


class RowSender(ABC):
    """A destination that takes rows in requests. What it holds is how a request is made and read."""

    declared: Declared

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self.limit: Limit = NoLimit()

    @property
    def idempotent(self) -> bool:
        """Return whether sending a row again changes nothing."""
        return self.declared.idempotent

    @property
    @abstractmethod
    def who(self) -> str:
        """Return how errors call it."""

    @abstractmethod
    def upsert(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[Answers]:
        """Write rows by one request; raises as `until_answered`."""

    @abstractmethod
    def remove(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[Answers]:
        """Take rows off by one request; not called where `declared.removal` is "none"."""

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> Answers:
        """Deliver rows of a chunk and return an answer for each, by its number; errors as in `Destination`."""
        asking = Asking(
            self.who,
            self._clock() + RequestPolicy.chunk_seconds,
            self._clock,
            self.declared.idempotent,
            self.limit,
        )
        is_shared = not isinstance(self.limit, NoLimit)  # then each request waits for its place
        paced = replace(self.declared, rate=None) if is_shared else self.declared
        pace = Pace(paced, self._clock, self._sleep, at_once_in_all(paced.rate))
        delivery = Delivery(self.declared, pace)
        answers: Answers = {row.row: Answer("failed", "BAD_ID") for row in rows if not is_sendable(row)}
        leavers = _of(rows, "remove")
        if self.declared.removal == "none":
            answers |= {row.row: Answer("removed", "NOTHING_TO_REMOVE") for row in leavers}
        else:
            answers |= delivery.run(leavers, lambda some: self.remove(chunk, some, asking))
        return answers | delivery.run(_of(rows, "upsert"), lambda some: self.upsert(chunk, some, asking))


def _of(rows: Sequence[Row], action: Action) -> list[Row]:
    return [row for row in rows if row.action == action and is_sendable(row)]


def done(action: Literal["upsert", "remove"]) -> Literal["sent", "removed"]:
    """Return what a row of that action is when it was carried out."""
    return "sent" if action == "upsert" else "removed"
