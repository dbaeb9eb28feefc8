"""Workers that share the ledger of contacts, in any order of their reads and writes, against the plain rule."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.outbound.policies import caps, ledger
from lakehouse.outbound.policies.caps import Contacted
from lakehouse.outbound.policies.definition import Cap
from lakehouse.retrying import RetryPolicy
from lakehouse.settings import Settings
from tests.support.objects_in_memory import ObjectsInMemory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
PEOPLE = ("ann", "bob", "eve")


@dataclass(frozen=True)
class Chunk:
    """What one worker sends: whom it writes to, whether the message leaves, and whether it is tried again."""

    people: tuple[str, ...]
    fate: str  # "sent", "not sent", "lost"
    again: bool


class Turns(ObjectsInMemory):
    """A store whose callers wait for their turn before each request; `order` says whose it is."""

    def __init__(self, order: list[int], workers: int) -> None:
        super().__init__()
        self._order, self._alive = list(order), set(range(workers))
        self._turn, self._changed = 0, threading.Condition()
        self.me = threading.local()

    def get(self, bucket, key):
        self._wait()
        return super().get(bucket, key)

    def put_once(self, bucket, key, body, content_type=""):
        self._wait()
        return super().put_once(bucket, key, body, content_type)

    def list_keys(self, bucket, prefix):
        self._wait()
        return super().list_keys(bucket, prefix)

    def _wait(self) -> None:
        if not self._alive:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._turn == self.me.number, timeout=20)
            self._next()

    def _next(self) -> None:
        waiting = sorted(self._alive)
        chosen = self._order.pop() if self._order else self._turn + 1
        self._turn = waiting[chosen % len(waiting)] if waiting else -1
        self._changed.notify_all()

    def leave(self) -> None:
        with self._changed:
            self._alive.discard(self.me.number)
            self._next()


@contextmanager
def one_shard(turns: Turns):
    """All people stand in one shard, which a worker reads and writes in its own thread."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("get", "put_once", "list_keys", "list_folders"):
            patch.setattr(ledger.objects, name, getattr(turns, name))
        patch.setattr(ledger, "shard_of", lambda _: 0)
        patch.setattr(ledger, "_by_shard", lambda act, groups: [act(*group) for group in groups.items()])
        patch.setattr(ledger, "CHANGE_LEDGER", RetryPolicy(attempts=30))
        yield


def work(turns: Turns, number: int, sync: str, chunk: Chunk, cap: Cap, got: list[str]) -> None:
    """Reserve, send and conclude as `at_sending` does; a retry does all of it again under the same keys."""
    turns.me.number = number
    try:
        for _ in range(2 if chunk.again else 1):
            keys = [f"{sync}/{number}/{row}" for row in range(len(chunk.people))]
            decisions = [
                (name, lambda known, key=key: caps.reserve(known, Contacted(NOW, key, sync), (), cap))
                for name, key in zip(chunk.people, keys, strict=True)
            ]
            reasons = ledger.change(SETTINGS, "email", decisions, NOW)
            due = [pair for pair, reason in zip(zip(chunk.people, keys, strict=True), reasons, strict=True)
                   if reason is None]  # fmt: skip
            if chunk.fate != "not sent":
                got += [f"{name} {key}" for name, key in due]
            tell = {"sent": caps.settle, "not sent": caps.withdraw}.get(chunk.fate)
            if tell is not None:
                told = [
                    (name, lambda known, key=key, tell=tell: (tell(known, key), None)) for name, key in due
                ]
                ledger.change(SETTINGS, "email", told)
    finally:
        turns.leave()


chunks = st.builds(
    Chunk,
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from(["sent", "not sent", "lost"]),
    st.booleans(),
)


@tried(max_examples=60, deadline=None, database=None)
@given(
    st.lists(chunks, min_size=2, max_size=3),
    st.lists(st.integers(0, 2), max_size=40),
    st.integers(1, 2),
)
def test_whatever_the_order_nobody_gets_more_than_the_cap_and_what_was_not_sent_is_given_back(
    work_to_do, order, most
):
    """Whose reads and writes come when is drawn. A retry counts once; who got nothing counts not at all."""
    cap, got = Cap(most=most, days=7), list[str]()
    turns = Turns(order, len(work_to_do))
    with one_shard(turns):
        workers = [
            threading.Thread(target=work, args=(turns, number, f"s{number}", chunk, cap, got))
            for number, chunk in enumerate(work_to_do)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        found = ledger.read(SETTINGS, "email", PEOPLE)
    messages = set(got)  # the same row again is the same message
    for name in PEOPLE:
        mine = {message.split()[1] for message in messages if message.startswith(f"{name} ")}
        assert len(mine) <= most
        assert {entry.key for entry in found[name]} == mine
        wanted = sum(name in chunk.people for chunk in work_to_do)
        kept = [chunk for chunk in work_to_do if name in chunk.people and chunk.fate != "not sent"]
        if wanted <= most:  # there is room for everybody, so nobody was refused
            assert len(mine) == len(kept)
