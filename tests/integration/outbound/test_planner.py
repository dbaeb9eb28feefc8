"""What is planned, by whom, and what is left out, over real objects, a real table and a HubSpot."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from lakehouse import aws, objects, settings
from lakehouse.errors import Terminal
from lakehouse.outbound import fold, log, planner, state_store
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.delivery_counts import status, sync_status
from lakehouse.outbound.destinations import open_destination
from lakehouse.outbound.planner import plan_run
from lakehouse.outbound.policy import DeliveryPolicy
from tests.integration.outbound.conftest import SYNC, Killed, statuses, wanted


def unread():
    raise AssertionError("what is desired is of no interest now")
    yield


def test_one_open_run_at_a_time(company):
    """While chunks are open and nothing is news no run begins; after a while their messages go out again."""
    company.allow(*range(150))
    run = company.plan(*(wanted(n) for n in range(150)))
    first, second = (message["chunk"] for message in sorted(company.messages(), key=lambda m: m["chunk"]))
    deliver(company.settings, "news", run.run, first, company.now)
    for _ in range(3):  # a look every few minutes
        assert plan_run(company.settings, SYNC, unread(), company.now, company.inputs) == run
    assert company.messages() == []
    company.now += DeliveryPolicy.announce_again
    assert plan_run(company.settings, SYNC, unread(), company.now, company.inputs) == run
    assert company.messages() == [{"sync": "news", "run": run.run, "chunk": second}]


def test_a_claimed_chunk_is_announced_for_when_its_claim_ends(company):
    """Its worker may be at it; the message comes after the lease."""
    company.allow(1)
    run = company.plan(wanted(1))
    company.messages()
    company.now += DeliveryPolicy.announce_again
    log.claim(company.settings, "news", run.run, run.chunk_ids()[0], company.now, DeliveryPolicy.lease)
    company.plan(wanted(1))
    assert company.messages() == []
    url = settings.current().publish_queue_url
    waiting = aws.sqs().get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert waiting["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}


def test_two_planners_with_one_plan_make_one_run(company, monkeypatch):
    """Both see the same standing: the second writes the same objects, and there is one run."""
    company.allow(1)
    standing = fold.standing(company.settings, "news")
    first = company.plan(wanted(1))
    with monkeypatch.context() as blind:
        blind.setattr(fold, "standing", lambda *_: standing)
        assert company.plan(wanted(1)) == first
    assert [run.run for run in log.runs(company.settings, "news")] == ["00000001"]
    assert statuses(company.publish()) == {"c0001": ("sent", "")}
    assert company.writes() == {"p0001@x.org": 1}


def test_two_planners_with_different_plans_make_one_run(company, monkeypatch):
    """The one that comes second gets the winner's run, and its own rows are named by nobody."""
    company.allow(1, 2)
    standing = fold.standing(company.settings, "news")
    first = company.plan(wanted(1))
    with monkeypatch.context() as blind:
        blind.setattr(fold, "standing", lambda *_: standing)
        assert company.plan(wanted(2)) == first
    company.publish()
    assert company.writes() == {"p0001@x.org": 1}
    assert statuses(company.loop(wanted(1), wanted(2))) == {"c0002": ("sent", "")}


def test_a_planner_that_died_after_its_commit_is_completed(company, monkeypatch):
    """Run committed, messages and the list of who was left out not written: the next planner does both."""

    def killed(*_):
        raise Killed

    company.allow(1)
    everybody = [wanted(1), wanted(2, consented=False)]
    with monkeypatch.context() as crash:
        crash.setattr(planner, "_complete", killed)
        with pytest.raises(Killed):
            company.plan(*everybody)
    assert company.messages() == []
    assert company.plan(*everybody).run == "00000001"
    assert statuses(company.publish()) == {"c0001": ("sent", "")}
    body = objects.get(settings.current().ops_bucket, "outbound/news/00000001/left_out.json")
    assert json.loads(body) == {
        "consent": ["c0002"],
        "erased": [],
        "no_address": [],
        "same_address": [],
        "no_longer": [],
    }


def test_a_planner_that_died_before_its_commit_leaves_no_run(company, monkeypatch):
    """Chunks without a run: nothing was announced, and the next plan takes the number."""

    def killed(*_):
        raise Killed

    company.allow(1, 2)
    with monkeypatch.context() as crash:
        crash.setattr(
            planner.log,
            "write_run",
            lambda settings, _, chunks: [log._write_chunk(settings, chunk) for chunk in chunks] and killed(),
        )
        with pytest.raises(Killed):
            company.plan(wanted(1))
    assert list(log.runs(company.settings, "news")) == []
    assert statuses(company.loop(wanted(2))) == {"c0002": ("sent", "")}
    assert list(company.writes()) == ["p0002@x.org"]


def test_a_changed_definition_is_news(company):
    """Another property: everybody is written again, and what is no longer ours is cleared."""
    company.allow(1)
    company.loop(wanted(1))
    other = Sync.model_validate({**SYNC.model_dump(by_alias=True), "properties": {"tier": "segments"}})
    changed = replace(wanted(1), properties={"tier": "vip"})
    run = plan_run(company.settings, other, [changed], company.now, company.inputs)
    assert run.to_send == 1
    company.publish()
    with company.hubspot._store.batch():
        properties = company.hubspot._store.find("p0001@x.org", "email").properties
    assert properties == {"email": "p0001@x.org", "tier": "vip"}
    assert plan_run(company.settings, other, [changed], company.now, company.inputs) is None


@pytest.mark.parametrize("order", [1, -1])
def test_an_address_goes_once_though_two_customers_have_it(company, order):
    """The smallest id is sent whoever comes first, the other is suppressed; who has no address is counted apart."""
    company.allow(1, 2, 3)
    same = wanted(2, id="p0001@x.org")
    rows = company.loop(*[same, wanted(1), wanted(3, id=None)][::order])
    assert statuses(rows) == {"c0001": ("sent", "")}
    counts = sync_status(company.settings, "news")
    assert (counts["selected"], counts["balanced"]) == (3, True)
    assert (counts["withheld"]["suppressed"], counts["withheld"]["no_address"]) == (1, 1)


def test_an_address_that_moves_to_another_customer_is_not_cleared(company):
    """The CRM knows addresses, not our ids: the new owner's row is compared with what the address holds."""
    company.allow(1, 2)
    company.loop(wanted(1))
    company.inputs["ops.segment_members"] = "2"
    assert company.plan(wanted(2, id="p0001@x.org")) is None
    assert company.held(1) == "vip"


def test_a_run_without_rows_is_written_when_there_is_news_to_tell(company):
    """Everybody withheld: a run without chunks says so; said once."""
    run = company.plan(wanted(1, consented=False))
    assert (run.chunks, run.no_consent) == (0, 1)
    assert status(company.settings)["news"]["withheld"]["consent"] == 1
    company.inputs["ops.segment_members"] = "2"
    assert company.plan(wanted(1, consented=False)) is None
    assert company.plan(wanted(1, consented=False), wanted(2, consented=False)).run == "00000002"


def test_the_snapshot_is_what_all_outcomes_say(company):
    """Folded run by run or rebuilt from nothing: the same; and without it nothing is sent again."""
    company.allow(*range(10))
    for step in range(4):
        company.inputs["ops.segment_members"] = str(step)
        company.now += timedelta(minutes=1)
        company.loop(*(wanted(n, value=str(n % (step + 1))) for n in range(step, 10)))
    assert fold.check(company.settings, "news")
    assert fold.state_of(company.settings, "news").through == "00000004"
    for broken in (b"not gzip", None):
        key = "outbound/news/state.json.gz"
        if broken is None:
            aws.s3().delete_object(Bucket=settings.current().ops_bucket, Key=key)
        else:
            aws.s3().put_object(Bucket=settings.current().ops_bucket, Key=key, Body=broken)
        company.inputs["ops.segment_members"] = f"again {broken}"
        run = company.plan(*(wanted(n, value=str(n % 4)) for n in range(3, 10)))
        assert run is None
        assert fold.check(company.settings, "news")


def test_old_runs_may_be_cleared_away(company):
    """The snapshot still knows whom the CRM holds: leavers are removed, members are not sent again."""
    company.allow(1, 2)
    company.loop(wanted(1), wanted(2))
    company.plan(wanted(1), wanted(2))
    bucket = settings.current().ops_bucket
    for key in objects.list_keys(bucket, "outbound/news/00000001/"):
        aws.s3().delete_object(Bucket=bucket, Key=f"outbound/news/00000001/{key}")
    run = company.plan(wanted(1))
    assert (run.run, run.unchanged, run.to_remove) == ("00000002", 1, 1)
    assert statuses(company.publish()) == {"c0002": ("removed", "")}


def test_a_snapshot_that_lies_is_found_out(company):
    """`check` compares it with the outcomes."""
    company.allow(1)
    company.loop(wanted(1))
    company.plan(wanted(1))
    state = fold.state_of(company.settings, "news")
    state.acknowledged.clear()
    bucket = settings.current().ops_bucket
    aws.s3().put_object(Bucket=bucket, Key="outbound/news/state.json.gz", Body=state_store.packed(state))
    assert not fold.check(company.settings, "news")


def test_an_unknown_chunk_or_destination_never_helps(company):
    """Terminal, with what to look at."""
    with pytest.raises(Terminal, match="no chunk"):
        deliver(company.settings, "news", "00000009", "none-0001", company.now)


def test_a_token_that_is_not_there_is_told(company):
    """The secret's name is in the message, its content never."""
    aws.secrets().put_secret_value(SecretId="lakehouse/hubspot", SecretString='{"tokem": "pat-x"}')
    with pytest.raises(Terminal, match=r"lakehouse/hubspot has no token"):
        open_destination(company.settings, "hubspot")
