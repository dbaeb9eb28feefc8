"""Workers share what a destination allows, in a real table: its rate, its day's requests, and rest after failures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from threading import Lock

import httpx
import pytest
import stamina

from lakehouse import aws, settings
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.destinations import NotSent, open_destination
from lakehouse.outbound.destinations.definition import Rate
from lakehouse.outbound.destinations.exchange import (
    AskAgain,
    Asking,
    OwnLimitReached,
    QuotaSpent,
    until_answered,
)
from lakehouse.outbound.destinations.limits import Limits
from lakehouse.outbound.destinations.limits_table import SharedLimit, closed, closed_destinations
from lakehouse.outbound.policy import LimitPolicy
from tests.integration.outbound.conftest import wanted
from tests.support.lakes import in_threads

TABLE = "limits"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
RATE = Rate(requests=20, seconds=1)
_TURN = Lock()


@pytest.fixture
def table(cloud, monkeypatch):
    """An empty table of limits, and the setting that names it."""
    aws.dynamodb().create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    monkeypatch.setenv("LAKEHOUSE_LIMITS_TABLE", TABLE)
    settings.current.cache_clear()
    for name in (
        "update_item",
        "put_item",
    ):  # moto's threads do not wait for each other, DynamoDB's writes do
        monkeypatch.setattr(aws.dynamodb(), name, _in_turn(getattr(aws.dynamodb(), name)))


def _in_turn(call):
    def called(**request):
        with _TURN:
            return call(**request)

    return called


@dataclass
class Worker:
    """One worker with a clock of its own, which goes on while it waits."""

    limits: Limits = field(default_factory=lambda: Limits(RATE))
    now: float = NOW
    fallen_back: int = 0

    def __post_init__(self) -> None:
        self.limit = SharedLimit(TABLE, "crm", self.limits, self._alone, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _alone(self) -> None:
        self.fallen_back += 1

    def ask(self, once=lambda: "answer"):
        with stamina.set_testing(True, attempts=2):
            return until_answered(once, Asking("crm", NOW * 2, lambda: self.now, limit=self.limit)).value


def test_workers_together_keep_to_the_rate(table):
    """Four at once with clocks that stand still but for their waits: no two have one place, none is left free."""

    def work(_number, barrier):
        worker = Worker()
        barrier.wait(30)
        moments = []
        for _ in range(6):
            worker.limit.take()
            moments.append(worker.now)
        return moments

    left = sorted(moment for moments in in_threads(4, work) for moment in moments)
    apart = [round(later - earlier, 4) for earlier, later in pairwise(left)]
    assert apart == [round(1 / (20 * LimitPolicy.rate_share), 4)] * 23


def test_who_would_wait_too_long_comes_back_later(table):
    """And takes no place from those who do wait."""
    worker = Worker(Limits(Rate(requests=1, seconds=8)))
    worker.limit.take()
    late = Worker(Limits(Rate(requests=1, seconds=8)))
    late.limit.take()
    late.now = NOW
    with pytest.raises(OwnLimitReached, match="as often as it allows"):
        late.limit.take()
    late.now = NOW + 10
    late.limit.take()
    assert late.now == pytest.approx(NOW + 2 * 8 / LimitPolicy.rate_share)


def test_a_day_that_is_used_up_keeps_chunks_open(table):
    """Each worker sees it; nothing is asked until the day turns."""
    allowed = Limits(quota=2, zone="Asia/Shanghai")
    assert [Worker(allowed).ask(), Worker(allowed).ask()] == ["answer"] * 2
    asked = []
    with pytest.raises(NotSent, match="no requests left today until 2026-03-01 16:00 UTC"):
        Worker(allowed).ask(lambda: asked.append(1))
    assert not asked
    assert Worker(allowed, NOW + 3600).limit.closed().why == "quota"
    turns = datetime(2026, 3, 1, 16, tzinfo=UTC).timestamp()
    assert Worker(allowed, turns).ask() == "answer"


def test_a_destination_that_says_its_day_is_used_up_is_asked_again_in_an_hour(table):
    """Nobody knows by which clock it counts."""

    def used_up():
        raise QuotaSpent("has no requests left today")

    with pytest.raises(NotSent):
        Worker().ask(used_up)
    with pytest.raises(NotSent, match="until 2026-03-01 13:00"):
        Worker().ask()
    assert Worker(now=NOW + 3601).ask() == "answer"


def test_a_long_retry_after_is_kept_by_all(table):
    """Whoever asks meanwhile is told, and the destination is not asked."""

    def busy():
        raise AskAgain("asks to wait (429)", 600, done=False)

    with pytest.raises(NotSent):
        Worker().ask(busy)
    with pytest.raises(NotSent, match="asks to be left alone until 2026-03-01 12:10"):
        Worker(now=NOW + 599).ask()
    assert Worker(now=NOW + 601).ask() == "answer"


def test_one_that_fails_is_left_alone_until_it_answers(table):
    """An answer forgets the failures, also those that another worker met."""

    def down():
        raise httpx.ConnectError("refused")

    for _ in range(LimitPolicy.failures_in_a_row - 1):
        with pytest.raises(NotSent, match="cannot be reached"):
            Worker().ask(down)
    worker = Worker()
    assert worker.limit.closed() is None
    assert worker.ask() == "answer"
    for _ in range(LimitPolicy.failures_in_a_row):
        with pytest.raises(NotSent, match="cannot be reached"):
            Worker().ask(down)
    with pytest.raises(NotSent, match="failed too often"):
        Worker().ask()
    assert Worker(now=NOW + 61).ask() == "answer"


def test_without_the_table_each_keeps_to_its_part(cloud):
    """The table may be lost: requests leave, at the pace of one of the workers."""
    worker = Worker()
    assert worker.ask() == "answer"
    assert worker.fallen_back == 1
    assert worker.limit.closed() is None
    worker.limit.failed()
    worker.limit.rest("quota")


def test_publish_leaves_chunks_open_whose_destination_is_closed(table, company):
    """Nothing is claimed nor sent; one that fails too often is told as an error, so that its message comes back."""
    company.allow(1)
    run = company.plan(wanted(1))
    chunk = ("news", run.run, run.chunk_ids()[0])
    limit = open_destination(company.settings, "hubspot").limit
    limit.rest("quota", 600)
    assert deliver(company.settings, *chunk, company.now) is None
    assert company.writes() == {}
    for why in ("failures", ""):
        limit.rest(why, 600 if why else -1)
        if why:
            with pytest.raises(NotSent, match="failed too often in a row"):
                deliver(company.settings, *chunk, company.now)
    assert closed(company.settings, "hubspot") is None
    outcome = deliver(company.settings, *chunk, company.now)
    assert [row.status for row in outcome.rows] == ["sent"]
    used = aws.dynamodb().get_item(TableName=TABLE, Key={"pk": {"S": "hubspot"}})["Item"]["used"]["N"]
    assert int(used) == 1


def test_what_is_closed_is_told_with_why_and_until_when(table, tmp_path):
    """One request for all; one that is open again, or that nobody asked, is not among them."""
    known = settings.current().model_copy(update={"definitions": tmp_path})
    assert closed_destinations(known, NOW) == {}
    hubspot = SharedLimit(TABLE, "hubspot", Limits(quota=1), clock=lambda: NOW)
    hubspot.take()
    with pytest.raises(OwnLimitReached):
        hubspot.take()
    told = closed_destinations(known, NOW)
    assert told["hubspot"].why == "quota"
    assert told["hubspot"].until == datetime(2026, 3, 2, tzinfo=UTC)
    assert closed_destinations(known, NOW + 13 * 3_600) == {}


def test_a_table_that_cannot_be_asked_keeps_no_report_waiting(cloud, monkeypatch):
    """As while no stack runs: nothing is told, at once."""
    nowhere = settings.current().model_copy(update={"limits_table": "gone"})
    assert closed_destinations(nowhere, NOW) == {}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    aws.forget_clients()
    began = time.monotonic()
    assert closed_destinations(nowhere, NOW) == {}
    assert time.monotonic() - began < 5
    aws.forget_clients()
