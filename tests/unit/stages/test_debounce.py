"""A stage runs when it is quiet, or when it has waited long enough; else it leaves itself a later hint."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import aws
from lakehouse.errors import CommitConflict
from lakehouse.settings import Settings
from lakehouse.stages.debounce import is_under_way, when_quiet
from lakehouse.stages.policy import DebouncePolicy

SETTINGS = Settings(ingest_queue_url="ingest", settle_seconds=30)
BUSY, QUIET = ("0", "1"), ("0", "0")


@pytest.fixture
def queues(monkeypatch):
    """SQS with an ingest queue that has messages or none; keeps the hints that are sent."""

    class Queues:
        def __init__(self, counts) -> None:
            self.counts = counts
            self.hints: list[tuple[dict, int]] = []

        def get_queue_attributes(self, QueueUrl, AttributeNames):  # noqa: N803
            assert QueueUrl == "ingest"
            return {"Attributes": dict(zip(AttributeNames, self.counts, strict=True))}

        def send_message(self, QueueUrl, MessageBody, DelaySeconds):  # noqa: N803
            assert QueueUrl == "stage"
            self.hints.append((json.loads(MessageBody), DelaySeconds))

    def make(counts) -> Queues:
        made = Queues(counts)
        monkeypatch.setattr(aws, "sqs", lambda: made)
        return made

    return make


def hint(waited: timedelta | None = None) -> dict:
    body = {"tick": True}
    if waited is not None:
        body["waiting_since"] = (datetime.now(UTC) - waited).isoformat()
    return {"Records": [{"body": json.dumps(body)}]}


LONG, SHORT = DebouncePolicy.patience + timedelta(seconds=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("counts", "pending", "waited", "runs"),
    [
        (QUIET, [], None, True),
        (BUSY, [], None, False),
        (QUIET, ["core.orders"], None, False),
        (BUSY, [], SHORT, False),
        (BUSY, [], LONG, True),
        (QUIET, ["core.orders"], LONG, True),
    ],
)
def test_a_stage_waits_for_input_but_not_for_ever(queues, counts, pending, waited, runs):
    """A hint that is put off says since when, and comes after the settle time."""
    sqs, ran = queues(counts), []
    assert when_quiet(ran.append, SETTINGS, "stage", hint(waited), lambda _: pending) is runs
    assert bool(ran) is runs
    assert [delay for _, delay in sqs.hints] == ([] if runs else [30])
    if not runs and waited is not None:
        since = datetime.fromisoformat(sqs.hints[0][0]["waiting_since"])
        assert datetime.now(UTC) - since >= waited


@pytest.mark.parametrize(
    ("counts", "pending", "waited", "for_files", "runs"),
    [
        (BUSY, [], timedelta(seconds=20), timedelta(seconds=29), False),
        (BUSY, [], timedelta(seconds=40), timedelta(seconds=29), True),
        (BUSY, [], None, timedelta(seconds=-30), True),
        (BUSY, ["core.orders"], timedelta(seconds=40), timedelta(seconds=29), False),
    ],
)
def test_a_stage_may_wait_less_for_files_than_for_others(queues, counts, pending, waited, for_files, runs):
    """Events never stop on a busy day; where the queue gathers for as long, files are not waited for at all."""
    queues(counts)
    assert (
        when_quiet(lambda _: None, SETTINGS, "stage", hint(waited), lambda _: pending, for_files=for_files)
        is runs
    )


def test_a_hint_from_the_future_waits_no_longer_than_another(queues):
    """The clock was set back since it was put off: from now on its patience counts."""
    sqs = queues(BUSY)
    assert when_quiet(lambda _: None, SETTINGS, "stage", hint(timedelta(hours=-3))) is False
    ((body, _),) = sqs.hints
    assert datetime.fromisoformat(body["waiting_since"]) <= datetime.now(UTC)


def test_after_a_lost_race_the_stage_looks_again_and_its_patience_begins_anew(queues):
    """The other run may not have seen what this hint was about."""
    sqs = queues(QUIET)

    def lost(_):
        raise CommitConflict("another run was first")

    assert when_quiet(lost, SETTINGS, "stage", hint(LONG)) is False
    ((body, _),) = sqs.hints
    assert datetime.now(UTC) - datetime.fromisoformat(body["waiting_since"]) < timedelta(seconds=30)


@pytest.mark.parametrize(("waited", "runs"), [(None, False), (LONG, True)])
def test_a_stage_that_another_call_runs_is_put_off(queues, waited, runs):
    """It would compute the same; one that hangs is not waited for for ever."""
    sqs, ran = queues(QUIET), []

    def stage(_):
        ran.append(is_under_way("stage"))
        if len(ran) == 1:
            assert when_quiet(stage, SETTINGS, "stage", hint(waited)) is runs

    assert when_quiet(stage, SETTINGS, "stage", hint()) is True
    assert ran == [True] * (2 if runs else 1)
    assert not is_under_way("stage")
    assert len(sqs.hints) == (0 if runs else 1)
    assert when_quiet(stage, SETTINGS, "stage", hint()) is True


def test_stages_do_not_wait_for_each_others_runs(queues):
    """Whether one is behind is read from the tables."""
    queues(QUIET)
    ran = []
    when_quiet(lambda _: when_quiet(ran.append, SETTINGS, "stage", hint()), SETTINGS, "another", hint())
    assert ran == [SETTINGS]
