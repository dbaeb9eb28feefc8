"""A stage waits until it is quiet, not for ever, and no hint is consumed in vain."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import aws
from lakehouse.errors import CommitConflict, Transient
from lakehouse.stages import debounce
from tests.support.small_company import SmallCompany


def hints(*bodies: object) -> dict:
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{"messageId": str(number), "body": text} for number, text in enumerate(texts)]}


class Stage:
    """Counts its runs."""

    def __init__(self, error: Exception | None = None) -> None:
        self.runs = 0
        self.error = error

    def __call__(self, _: object) -> None:
        self.runs += 1
        if self.error:
            raise self.error


def run(company: SmallCompany, event: dict, *before, stage: Stage | None = None) -> tuple[int, list[dict]]:
    """Let a stage see hints; return how often it ran, and the hints that wait for it afterwards."""
    stage = stage or Stage()
    debounce.when_quiet(stage, company.settings, company.queues["resolve"], event, *before)
    return stage.runs, company.hints("resolve")


def wait_for_ingest(company: SmallCompany) -> None:
    aws.sqs().send_message(QueueUrl=company.queues["ingest"], MessageBody="{}")


def ago(**time: int) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def test_it_runs_once_for_all_hints_when_it_is_quiet(company):
    """A hundred commits are one look, and leave no hint behind."""
    assert run(company, hints({"tick": True}, {"detail": {}}, {"tick": True})) == (1, [])


def test_it_waits_while_files_wait_for_ingest(company):
    """What half a backlog says would reach the CRM, and be taken back a minute later. The hint is sent again."""
    wait_for_ingest(company)
    runs, (later,) = run(company, hints({"tick": True}))
    assert runs == 0
    assert datetime.now(UTC) - datetime.fromisoformat(later["waiting_since"]) < timedelta(seconds=30)


def test_a_file_that_is_being_loaded_is_waited_for_too(company):
    """A message under way is no longer visible and not done either."""
    wait_for_ingest(company)
    assert aws.sqs().receive_message(QueueUrl=company.queues["ingest"])["Messages"]
    assert run(company, hints({"tick": True}))[0] == 0


def test_it_waits_for_the_stages_before_it(company):
    """And asks each of them."""
    assert run(company, hints({"tick": True}), lambda _: False, lambda _: ["core.orders"])[0] == 0
    assert run(company, hints({"tick": True}), lambda _: False, lambda _: []) == (1, [])


def test_it_waits_no_longer_than_five_minutes(company):
    """A backlog that never ends must not stop everything behind it; the oldest hint of a batch counts."""
    wait_for_ingest(company)
    waited = {"tick": True, "waiting_since": ago(minutes=4)}
    runs, (later,) = run(company, hints(waited))
    assert (runs, later) == (0, waited)
    assert run(company, hints({"tick": True}, {"tick": True, "waiting_since": ago(minutes=6)})) == (1, [])


def test_after_a_lost_race_it_looks_again(company):
    """The other run may not have seen what this hint was about."""
    stage = Stage(CommitConflict("another run was first"))
    runs, later = run(company, hints({"tick": True, "waiting_since": ago(minutes=9)}), stage=stage)
    assert runs == 1
    assert len(later) == 1
    assert datetime.now(UTC) - datetime.fromisoformat(later[0]["waiting_since"]) < timedelta(seconds=30)


def test_any_other_failure_returns_the_batch_to_the_queue(company):
    """With it, its hints: nothing needs to be sent."""
    stage = Stage(Transient("the store is away"))
    with pytest.raises(Transient):
        run(company, hints({"tick": True}), stage=stage)
    assert company.hints("resolve") == []


def test_a_hint_that_cannot_be_put_off_is_not_consumed(company, monkeypatch):
    """When the queue does not take the later hint, the batch must not count as done."""
    wait_for_ingest(company)

    def away(**_: object) -> None:
        raise OSError("the queue is away")

    monkeypatch.setattr(aws.sqs(), "send_message", away)
    with pytest.raises(OSError, match="away"):
        run(company, hints({"tick": True}))


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "7",
        "null",
        '{"waiting_since": 7}',
        '{"waiting_since": "x"}',
        '{"waiting_since": "2026-01-01"}',
    ],
)
def test_whatever_a_message_says_it_is_a_hint(company, body):
    """One odd message must not hold up those of its batch."""
    assert run(company, hints(body, {"tick": True})) == (1, [])
    wait_for_ingest(company)
    runs, later = run(company, hints(body))
    assert (runs, len(later)) == (0, 1)
