"""From plan to acknowledgement, over real queues, objects, a real table and a HubSpot that keeps contacts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import stamina

from lakehouse import aws, objects, settings
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound import acknowledged, log, plan
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.deliver import LEASE, deliver
from lakehouse.outbound.destinations import Answer
from lakehouse.outbound.destinations.hubspot import HubSpot, open_destination
from lakehouse.outbound.plan import plan_run, preview
from lakehouse.outbound.status import status, sync_status
from lakehouse.privacy import consent
from tests.unit.outbound.conftest import SYNC, wanted


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


def _statuses(rows):
    return {row.customer_id: (row.status, row.code) for row in rows}


def test_members_reach_the_crm_and_are_acknowledged(company):
    """Each row is sent once, leans on its consent row, and the next plan has nothing to say."""
    company.allow(*range(250))
    everybody = [wanted(n) for n in range(250)]
    rows = company.loop(*everybody)
    assert {row.status for row in rows} == {"sent"}
    assert {row.consent_id for row in rows} == {f"consent-{n}" for n in range(250)}
    assert len({row.crm_id for row in rows}) == 250
    assert company.writes() == {f"p{n:04d}@x.org": 1 for n in range(250)}
    company.inputs["ops.segment_members"] = "2"
    assert company.plan(*everybody) is None
    assert company.messages() == []


def test_a_repeated_message_delivers_nothing_again(company):
    """The outcome that stands is returned; HubSpot is not even asked."""
    company.allow(1)
    run = company.plan(wanted(1))
    (message,) = company.messages()
    first = deliver(message["sync"], message["run"], message["chunk"], company.now)
    requests = company.hubspot.state()["requests"]
    again = deliver("news", run.run, message["chunk"], company.now + timedelta(days=3))
    assert again == first
    assert company.hubspot.state()["requests"] == requests
    assert company.writes() == {"p0001@x.org": 1}


def test_a_chunk_that_somebody_is_sending_is_left_to_him(company, monkeypatch):
    """While a claim lives, a second worker sends nothing."""
    company.allow(1)
    run = company.plan(wanted(1))
    (chunk,) = run.chunk_ids()
    seen = []

    def send(self, work, rows):
        seen.append(deliver("news", run.run, chunk, company.now + timedelta(seconds=100)))
        return {row.row: Answer("sent") for row in rows}

    monkeypatch.setattr(HubSpot, "send", send)
    assert deliver("news", run.run, chunk, company.now).rows[0].status == "sent"
    assert seen == [None]


def test_a_crash_after_sending_sends_once_more_and_ends_acknowledged(company, monkeypatch):
    """Killed between send and outcome: after the lease the row goes again, once, and the log says sent."""
    company.allow(1)
    run = company.plan(wanted(1))
    (chunk,) = run.chunk_ids()

    def killed(_):
        raise Killed

    with monkeypatch.context() as crash:
        crash.setattr(log, "write_outcome", killed)
        with pytest.raises(Killed):
            deliver("news", run.run, chunk, company.now)
    assert company.writes() == {"p0001@x.org": 1}

    assert deliver("news", run.run, chunk, company.now + LEASE / 2) is None
    assert sync_status("news")["in_flight"] == 1
    outcome = deliver("news", run.run, chunk, company.now + LEASE)
    assert (outcome.attempt, outcome.rows[0].status) == (2, "sent")
    assert company.writes() == {"p0001@x.org": 2}
    assert deliver("news", run.run, chunk, company.now + 2 * LEASE) == outcome
    assert company.writes() == {"p0001@x.org": 2}
    assert company.plan(wanted(1)) is None


def test_others_get_a_row_at_most_once(company):
    """A destination that is not idempotent gets nothing after a crash; the rows are told as unknown."""

    class Letters:
        idempotent = False
        sent = 0

        def send(self, _, rows):
            Letters.sent += len(rows)
            raise Killed

    company.allow(1)
    run = company.plan(wanted(1))
    (chunk,) = run.chunk_ids()
    with pytest.raises(Killed):
        deliver("news", run.run, chunk, company.now, Letters())
    outcome = deliver("news", run.run, chunk, company.now + LEASE, Letters())
    assert (Letters.sent, outcome.rows[0].status) == (1, "unknown")
    assert sync_status("news")["unknown"] == 1
    company.inputs["ops.segment_members"] = "2"
    assert company.plan(wanted(1)) is None


def test_consent_withdrawn_after_planning_withholds(company):
    """The gate asks at the moment of sending, not at the moment of planning."""
    company.allow(1, 2)
    company.plan(wanted(1), wanted(2))
    company.now += timedelta(minutes=1)
    company.allow(2)
    rows = company.publish()
    assert _statuses(rows) == {"c0001": ("withheld", "consent"), "c0002": ("sent", "")}
    assert list(company.writes()) == ["p0002@x.org"]
    assert sync_status("news")["withheld"]["consent"] == 1
    assert sync_status("news")["balanced"]


@pytest.mark.parametrize("projection", ["absent", "stale", "of another purpose", "unreadable"])
def test_without_a_projection_that_says_so_nobody_is_sent_to(company, projection, monkeypatch):
    """Absent, stale, silent or out of reach: everything is withheld, HubSpot is not asked."""
    if projection == "stale":
        company.allow(1, max_age=timedelta(hours=1))
        company.now += timedelta(hours=1)
    if projection == "of another purpose":
        consent.project([("c0001", "service", "email", "x")], "1", company.now, timedelta(days=1))
    if projection == "unreadable":
        company.allow(1)
        monkeypatch.setenv("LAKEHOUSE_CONSENT_TABLE", "no_such_table")
        settings.current.cache_clear()
    assert _statuses(company.loop(wanted(1))) == {"c0001": ("withheld", "consent")}
    assert company.hubspot.state()["requests"] == 0
    assert company.plan(wanted(1)) is None


def test_the_withheld_go_when_the_projection_is_written(company):
    """A projection that comes later is an input that moved."""
    assert _statuses(company.loop(wanted(1))) == {"c0001": ("withheld", "consent")}
    company.allow(1)
    assert _statuses(company.loop(wanted(1))) == {"c0001": ("sent", "")}


def test_customers_known_to_have_no_consent_are_not_even_planned(company):
    """They are counted, named in the log, and no chunk holds them."""
    company.allow(1)
    run = company.plan(wanted(1), wanted(2, consented=False))
    assert (run.selected, run.to_send, run.no_consent) == (2, 1, 1)
    company.publish()
    assert sync_status("news")["withheld"]["consent"] == 1
    body = aws.s3().get_object(
        Bucket=settings.current().ops_bucket, Key="outbound/news/00000001/left_out.json"
    )
    assert b'"c0002"' in body["Body"].read()


def test_leavers_are_removed_whatever_their_consent(company):
    """Who is no longer selected, or no longer consents, is taken off; nothing is created by that."""
    company.allow(1, 2, 3)
    company.loop(wanted(1), wanted(2), wanted(3))
    company.now += timedelta(hours=1)
    company.allow()
    company.inputs["ops.segment_members"] = "2"
    rows = company.loop(wanted(1), wanted(2, consented=False))
    assert _statuses(rows) == {"c0002": ("removed", ""), "c0003": ("removed", "")}
    assert [company.held(n) for n in (1, 2, 3)] == ["vip", "", ""]
    counts = sync_status("news")
    assert (counts["removed"], counts["unchanged"], counts["withheld"]["consent"]) == (2, 1, 1)
    assert counts["balanced"]
    assert counts["to_remove"] == 0
    assert company.plan(wanted(1), wanted(2, consented=False)) is None


def test_removing_a_contact_that_is_gone_does_not_bring_it_back(company):
    """Deleted in the CRM meanwhile: nothing to clear, and no contact is made."""
    company.allow(1, 2)
    company.loop(wanted(1), wanted(2))
    with company.hubspot._store.batch():
        company.hubspot._store.forget(company.hubspot._store.find("p0001@x.org", "email"))
    company.inputs["ops.segment_members"] = "2"
    assert _statuses(company.loop()) == {"c0001": ("removed", "GONE"), "c0002": ("removed", "")}
    assert list(company.writes()) == ["p0002@x.org"]


def test_a_failed_row_goes_again_when_its_time_has_come(company):
    """207: not before 24 hours with the same inputs, then again; the others are not sent twice."""
    company.allow(1, 2)
    bad = wanted(2, id="not-an-address")
    assert _statuses(company.loop(wanted(1), bad)) == {
        "c0001": ("sent", ""),
        "c0002": ("failed", "INVALID_EMAIL"),
    }
    assert sync_status("news")["failed"] == 1
    company.now += timedelta(hours=23)
    assert company.plan(wanted(1), bad) is None
    company.now += timedelta(hours=1)
    assert _statuses(company.loop(wanted(1), bad)) == {"c0002": ("failed", "INVALID_EMAIL")}
    assert company.plan(wanted(1), bad) is None
    assert company.writes() == {"p0001@x.org": 1}


def test_a_failed_row_goes_again_when_the_inputs_moved(company):
    """A new snapshot may have mended it; a mended row goes at once in any case."""
    company.allow(1, 2)
    company.fault(status=409, id="p0002@x.org", times=9)
    company.loop(wanted(1), wanted(2))
    assert company.plan(wanted(1), wanted(2)) is None
    company.inputs["ops.segment_members"] = "2"
    company.hubspot.faults.clear()
    assert _statuses(company.loop(wanted(1), wanted(2))) == {"c0002": ("sent", "")}
    assert company.writes() == {"p0001@x.org": 1, "p0002@x.org": 1}


def test_a_waiting_failure_is_still_told_as_failed(company):
    """A later run that leaves a failed row waiting counts it, so that the books balance."""
    company.allow(1, 2, 3)
    company.loop(wanted(1), wanted(2, id="not-an-address"))
    run = plan_run(
        SYNC.model_copy(update={"removed": "-"}),
        [wanted(1), wanted(2, id="not-an-address"), wanted(3)],
        company.now,
        company.inputs,
    )
    company.publish()
    assert run.failed_waiting == 1
    counts = sync_status("news")
    assert (counts["failed"], counts["sent"], counts["unchanged"], counts["balanced"]) == (1, 1, 1, True)


def test_a_conflict_costs_only_the_row_that_causes_it(company):
    """409 for a whole batch of 100: halved until the bad row stands alone; each other row is written once."""
    company.allow(*range(100))
    company.fault(status=409, id="p0037@x.org", times=99)
    rows = company.loop(*(wanted(n) for n in range(100)))
    assert [row.customer_id for row in rows if row.status == "failed"] == ["c0037"]
    assert company.writes() == {f"p{n:04d}@x.org": 1 for n in range(100) if n != 37}
    assert company.hubspot.state()["requests"] < 20


def test_a_lost_answer_is_asked_for_again(company):
    """The write happened and its answer was lost: sent again within the attempt, acknowledged once."""
    company.allow(1)
    company.fault(drop=True, where="after")
    assert _statuses(company.loop(wanted(1))) == {"c0001": ("sent", "")}
    assert company.writes() == {"p0001@x.org": 2}
    assert sync_status("news")["sent"] == 1


def test_a_success_that_wrote_nothing_is_a_failure(company):
    """2xx with neither results nor errors."""
    company.allow(1)
    company.fault(status=200)
    assert _statuses(company.loop(wanted(1))) == {"c0001": ("failed", "NOT_WRITTEN")}


def test_hubspots_own_trouble_leaves_the_chunk_open_and_free(company):
    """503 through all tries: Transient, no outcome, and the next worker need not wait for the lease."""
    company.allow(1)
    run = company.plan(wanted(1))
    company.fault(status=503, times=5)
    with stamina.set_testing(True, attempts=5), pytest.raises(Transient, match="503"):
        company.publish()
    counts = sync_status("news")
    assert (counts["in_flight"], counts["balanced"]) == (1, True)
    assert deliver("news", run.run, run.chunk_ids()[0], company.now).rows[0].status == "sent"
    assert company.writes() == {"p0001@x.org": 1}


def test_a_wrong_token_leaves_the_chunk_open_and_says_what_to_do(company):
    """401 is no row's fault: Terminal, and with the token mended the chunk goes."""
    company.allow(1)
    run = company.plan(wanted(1))
    company.hubspot.token = "rotated"
    with pytest.raises(Terminal, match="lakehouse/hubspot"):
        company.publish()
    company.hubspot.token = "pat-test"
    assert deliver("news", run.run, run.chunk_ids()[0], company.now).rows[0].status == "sent"


def test_one_open_run_at_a_time(company):
    """While chunks are open no run begins, whatever is desired; their messages go out again."""
    company.allow(*range(150))
    run = company.plan(*(wanted(n) for n in range(150)))
    first, second = (message["chunk"] for message in sorted(company.messages(), key=lambda m: m["chunk"]))
    deliver("news", run.run, first, company.now)
    company.inputs["ops.segment_members"] = "2"

    def unread():
        raise AssertionError("what is desired is of no interest now")
        yield

    assert plan_run(SYNC, unread(), company.now, company.inputs) == run
    assert company.messages() == [{"sync": "news", "run": run.run, "chunk": second}]


def test_a_claimed_chunk_is_announced_for_when_its_claim_ends(company):
    """Its worker may be at it; the message comes after the lease."""
    company.allow(1)
    run = company.plan(wanted(1))
    company.messages()
    log.claim("news", run.run, run.chunk_ids()[0], company.now, LEASE)
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
    standing = acknowledged.load("news")
    first = company.plan(wanted(1))
    with monkeypatch.context() as blind:
        blind.setattr(acknowledged, "load", lambda _: standing)
        assert company.plan(wanted(1)) == first
    assert [run.run for run in log.runs("news")] == ["00000001"]
    assert _statuses(company.publish()) == {"c0001": ("sent", "")}
    assert company.writes() == {"p0001@x.org": 1}


def test_two_planners_with_different_plans_make_one_run(company, monkeypatch):
    """The one that comes second gets the winner's run, and its own rows are named by nobody."""
    company.allow(1, 2)
    standing = acknowledged.load("news")
    first = company.plan(wanted(1))
    with monkeypatch.context() as blind:
        blind.setattr(acknowledged, "load", lambda _: standing)
        assert company.plan(wanted(2)) == first
    company.publish()
    assert company.writes() == {"p0001@x.org": 1}
    assert _statuses(company.loop(wanted(1), wanted(2))) == {"c0002": ("sent", "")}


def test_a_planner_that_died_after_its_commit_is_completed(company, monkeypatch):
    """Run committed, messages and the list of who was left out not written: the next planner does both."""

    def killed(*_):
        raise Killed

    company.allow(1)
    everybody = [wanted(1), wanted(2, consented=False)]
    with monkeypatch.context() as crash:
        crash.setattr(plan, "_complete", killed)
        with pytest.raises(Killed):
            company.plan(*everybody)
    assert company.messages() == []
    assert company.plan(*everybody).run == "00000001"
    assert _statuses(company.publish()) == {"c0001": ("sent", "")}
    body = objects.get(settings.current().ops_bucket, "outbound/news/00000001/left_out.json")
    assert json.loads(body) == {"consent": ["c0002"], "no_address": [], "same_address": []}


def test_a_planner_that_died_before_its_commit_leaves_no_run(company, monkeypatch):
    """Chunks without a run: nothing was announced, and the next plan takes the number."""

    def killed(*_):
        raise Killed

    company.allow(1, 2)
    with monkeypatch.context() as crash:
        crash.setattr(
            plan.log, "write_run", lambda _, chunks: [log._write_chunk(c) for c in chunks] and killed()
        )
        with pytest.raises(Killed):
            company.plan(wanted(1))
    assert list(log.runs("news")) == []
    assert _statuses(company.loop(wanted(2))) == {"c0002": ("sent", "")}
    assert list(company.writes()) == ["p0002@x.org"]


def test_a_changed_definition_is_news(company):
    """Another property: everybody is written again, and what is no longer ours is cleared."""
    company.allow(1)
    company.loop(wanted(1))
    other = Sync.model_validate({**SYNC.model_dump(by_alias=True), "properties": {"tier": "segments"}})
    changed = replace(wanted(1), properties={"tier": "vip"})
    run = plan_run(other, [changed], company.now, company.inputs)
    assert run.to_send == 1
    company.publish()
    with company.hubspot._store.batch():
        properties = company.hubspot._store.find("p0001@x.org", "email").properties
    assert properties == {"email": "p0001@x.org", "tier": "vip"}
    assert plan_run(other, [changed], company.now, company.inputs) is None


@pytest.mark.parametrize("order", [1, -1])
def test_an_address_goes_once_though_two_customers_have_it(company, order):
    """The smallest id is sent whoever comes first, the other is suppressed, like one without an address."""
    company.allow(1, 2, 3)
    same = wanted(2, id="p0001@x.org")
    rows = company.loop(*[same, wanted(1), wanted(3, id=None)][::order])
    assert _statuses(rows) == {"c0001": ("sent", "")}
    counts = sync_status("news")
    assert (counts["selected"], counts["withheld"]["suppressed"], counts["balanced"]) == (3, 2, True)


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
    assert status()["news"]["withheld"]["consent"] == 1
    company.inputs["ops.segment_members"] = "2"
    assert company.plan(wanted(1, consented=False)) is None
    assert company.plan(wanted(1, consented=False), wanted(2, consented=False)).run == "00000002"


def test_a_preview_writes_nothing(company):
    """The counts of the run that would be, and no trace of it."""
    company.allow(1)
    run = preview(SYNC, [wanted(1), wanted(2, id=None)], company.now, company.inputs)
    assert (run.selected, run.to_send, run.no_address) == (2, 1, 1)
    assert list(log.runs("news")) == []
    assert company.messages() == []


def test_the_snapshot_is_what_all_outcomes_say(company):
    """Folded run by run or rebuilt from nothing: the same; and without it nothing is sent again."""
    company.allow(*range(10))
    for step in range(4):
        company.inputs["ops.segment_members"] = str(step)
        company.now += timedelta(minutes=1)
        company.loop(*(wanted(n, value=str(n % (step + 1))) for n in range(step, 10)))
    assert acknowledged.check("news")
    assert acknowledged.load("news").state.through == "00000004"
    for broken in (b"not gzip", None):
        key = "outbound/news/state.json.gz"
        if broken is None:
            aws.s3().delete_object(Bucket=settings.current().ops_bucket, Key=key)
        else:
            aws.s3().put_object(Bucket=settings.current().ops_bucket, Key=key, Body=broken)
        company.inputs["ops.segment_members"] = f"again {broken}"
        run = company.plan(*(wanted(n, value=str(n % 4)) for n in range(3, 10)))
        assert run is None
        assert acknowledged.check("news")


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
    assert _statuses(company.publish()) == {"c0002": ("removed", "")}


def test_a_snapshot_that_lies_is_found_out(company):
    """`check` compares it with the outcomes."""
    company.allow(1)
    company.loop(wanted(1))
    company.plan(wanted(1))
    state = acknowledged.load("news").state
    state.acknowledged.clear()
    bucket = settings.current().ops_bucket
    aws.s3().put_object(Bucket=bucket, Key="outbound/news/state.json.gz", Body=acknowledged._packed(state))
    assert not acknowledged.check("news")


def test_an_unknown_chunk_or_destination_never_helps(company):
    """Terminal, with what to look at."""
    with pytest.raises(Terminal, match="no chunk"):
        deliver("news", "00000009", "none-0001", company.now)


def test_a_token_that_is_not_there_is_told(company):
    """The secret's name is in the message, its content never."""
    aws.secrets().put_secret_value(SecretId="lakehouse/hubspot", SecretString='{"tokem": "pat-x"}')
    with pytest.raises(Terminal, match=r"lakehouse/hubspot has no token"):
        open_destination()
