"""From plan to acknowledgement, over real queues, objects, a real table and a HubSpot that keeps contacts."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stamina

from lakehouse import aws, settings
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound import log
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.delivery_counts import sync_status
from lakehouse.outbound.destinations import Answer, Declared
from lakehouse.outbound.destinations.hubspot import HubSpot
from lakehouse.outbound.planner import plan_run
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.privacy.projection import project
from tests.integration.outbound.conftest import SYNC, Killed, statuses, wanted
from tests.support.truths import Told


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
    first = deliver(company.settings, message["sync"], message["run"], message["chunk"], company.now)
    requests = company.hubspot.state()["requests"]
    again = deliver(company.settings, "news", run.run, message["chunk"], company.now + timedelta(days=3))
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
        seen.append(deliver(company.settings, "news", run.run, chunk, company.now + timedelta(seconds=100)))
        return {row.row: Answer("sent") for row in rows}

    monkeypatch.setattr(HubSpot, "send", send)
    assert deliver(company.settings, "news", run.run, chunk, company.now).rows[0].status == "sent"
    assert seen == [None]


def test_a_crash_after_sending_sends_once_more_and_ends_acknowledged(company, monkeypatch):
    """Killed between send and outcome: after the lease the row goes again, once, and the log says sent."""
    company.allow(1)
    run = company.plan(wanted(1))
    (chunk,) = run.chunk_ids()

    def killed(*_):
        raise Killed

    with monkeypatch.context() as crash:
        crash.setattr(log, "write_outcome", killed)
        with pytest.raises(Killed):
            deliver(company.settings, "news", run.run, chunk, company.now)
    assert company.writes() == {"p0001@x.org": 1}

    assert deliver(company.settings, "news", run.run, chunk, company.now + DeliveryPolicy.lease / 2) is None
    assert sync_status(company.settings, "news")["in_flight"] == 1
    outcome = deliver(company.settings, "news", run.run, chunk, company.now + DeliveryPolicy.lease)
    assert (outcome.attempt, outcome.rows[0].status) == (2, "sent")
    assert company.writes() == {"p0001@x.org": 2}
    assert (
        deliver(company.settings, "news", run.run, chunk, company.now + 2 * DeliveryPolicy.lease) == outcome
    )
    assert company.writes() == {"p0001@x.org": 2}
    assert company.plan(wanted(1)) is None


def test_others_get_a_row_at_most_once(company):
    """A destination that is not idempotent gets nothing after a crash; the rows are told as unknown."""

    class Letters:
        idempotent = False
        declared = Declared(100, None, idempotent=False, removal="none")
        sent = 0

        def send(self, _, rows):
            Letters.sent += len(rows)
            raise Killed

    company.allow(1)
    run = company.plan(wanted(1))
    (chunk,) = run.chunk_ids()
    with pytest.raises(Killed):
        deliver(company.settings, "news", run.run, chunk, company.now, Letters())
    outcome = deliver(company.settings, "news", run.run, chunk, company.now + DeliveryPolicy.lease, Letters())
    assert (Letters.sent, outcome.rows[0].status) == (1, "unknown")
    assert sync_status(company.settings, "news")["unknown"] == 1
    company.inputs["ops.segment_members"] = "2"
    assert company.plan(wanted(1)) is None


def test_consent_withdrawn_after_planning_withholds(company):
    """The gate asks at the moment of sending, not at the moment of planning."""
    company.allow(1, 2)
    company.plan(wanted(1), wanted(2))
    company.now += timedelta(minutes=1)
    company.allow(2)
    rows = company.publish()
    assert statuses(rows) == {"c0001": ("withheld", "consent"), "c0002": ("sent", "")}
    assert list(company.writes()) == ["p0002@x.org"]
    assert sync_status(company.settings, "news")["withheld"]["consent"] == 1
    assert sync_status(company.settings, "news")["balanced"]


def waits_for_projection(company, run):
    """The chunk of a run stays open for an hour because consent cannot be asked, and says so; then it is announced."""
    (chunk,) = run.chunk_ids()
    for minutes in (0, 59):
        now = company.now + timedelta(minutes=minutes)
        with pytest.raises(Transient, match="waits for the consent projection"):
            deliver(company.settings, "news", run.run, chunk, now)
    counts = sync_status(company.settings, "news")
    assert (counts["in_flight"], counts["balanced"]) == (1, True)
    assert log.read_claim(company.settings, "news", run.run, chunk, 1) is None
    company.now += DeliveryPolicy.projection_patience


@pytest.mark.parametrize("projection", ["absent", "stale", "of another purpose", "unreadable"])
def test_without_a_projection_that_says_so_nobody_is_sent_to(company, projection, monkeypatch):
    """Absent, stale, silent or out of reach: everything is withheld, HubSpot is not asked."""
    if projection == "stale":
        company.allow(1, max_age=timedelta(hours=1))
        company.now += timedelta(hours=1)
    if projection == "of another purpose":
        told = Told({("c0001", "p0001@x.org", "service", "email"): "x"}, "1", company.now)
        project(company.settings, told, company.now, timedelta(days=1))
    if projection == "unreadable":
        company.allow(1)
        monkeypatch.setenv("LAKEHOUSE_CONSENT_TABLE", "no_such_table")
        settings.current.cache_clear()
    reason = "consent" if projection == "of another purpose" else "projection"
    run = company.plan(wanted(1))
    if reason == "projection":
        waits_for_projection(company, run)
    assert statuses(company.publish()) == {"c0001": ("withheld", reason)}
    assert company.hubspot.state()["requests"] == 0
    counts = sync_status(company.settings, "news")
    assert (counts["withheld"][reason], sum(counts["withheld"].values()), counts["balanced"]) == (1, 1, True)
    assert company.plan(wanted(1)) is None
    run = company.plan(wanted(1), wanted(2, consented=False))
    waiting = {"consent": run.withheld_waiting, "projection": run.projection_waiting}
    assert waiting == {"consent": 0, "projection": 0} | {reason: 1}
    counts = sync_status(company.settings, "news")
    assert counts["withheld"]["projection"] == waiting["projection"]
    assert counts["withheld"]["consent"] == waiting["consent"] + 1
    assert counts["balanced"]


def test_the_withheld_go_when_the_projection_is_written(company):
    """A projection that comes later is an input that moved."""
    waits_for_projection(company, company.plan(wanted(1)))
    assert statuses(company.publish()) == {"c0001": ("withheld", "projection")}
    company.allow(1)
    assert statuses(company.loop(wanted(1))) == {"c0001": ("sent", "")}


def test_after_a_start_people_who_consented_are_sent_to_and_not_booked_as_withheld(company):
    """`publish` runs before the projection is there: the chunk stays open, and goes when it is."""
    run = company.plan(wanted(1))
    with pytest.raises(Transient, match="projection"):
        company.publish()
    company.now += timedelta(minutes=2)
    company.allow(1)
    (chunk,) = run.chunk_ids()
    outcome = deliver(company.settings, "news", run.run, chunk, company.now)
    assert statuses(outcome.rows) == {"c0001": ("sent", "")}
    assert sync_status(company.settings, "news")["withheld"]["projection"] == 0


def test_somebody_is_taken_off_though_consent_cannot_be_asked(company, monkeypatch):
    """A chunk that removes somebody does not wait; it is another one than that of who is written."""
    company.allow(1)
    company.loop(wanted(1))
    company.inputs["ops.segment_members"] = "2"
    monkeypatch.setenv("LAKEHOUSE_CONSENT_TABLE", "no_such_table")
    settings.current.cache_clear()
    run = company.plan(wanted(2))
    removal, upsert = run.chunk_ids()
    outcome = deliver(company.settings, "news", run.run, removal, company.now)
    assert statuses(outcome.rows) == {"c0001": ("removed", "")}
    with pytest.raises(Transient, match="waits for the consent projection"):
        deliver(company.settings, "news", run.run, upsert, company.now)


def test_customers_known_to_have_no_consent_are_not_even_planned(company):
    """They are counted, named in the log, and no chunk holds them."""
    company.allow(1)
    run = company.plan(wanted(1), wanted(2, consented=False))
    assert (run.selected, run.to_send, run.no_consent) == (2, 1, 1)
    company.publish()
    assert sync_status(company.settings, "news")["withheld"]["consent"] == 1
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
    assert statuses(rows) == {"c0002": ("removed", ""), "c0003": ("removed", "")}
    assert [company.held(n) for n in (1, 2, 3)] == ["vip", "", ""]
    counts = sync_status(company.settings, "news")
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
    assert statuses(company.loop()) == {"c0001": ("removed", "GONE"), "c0002": ("removed", "")}
    assert list(company.writes()) == ["p0002@x.org"]


def test_a_failed_row_goes_again_when_its_time_has_come(company):
    """207: not before 24 hours with the same inputs, then again; the others are not sent twice."""
    company.allow(1, 2)
    bad = wanted(2, id="not-an-address")
    assert statuses(company.loop(wanted(1), bad)) == {
        "c0001": ("sent", ""),
        "c0002": ("failed", "INVALID_EMAIL"),
    }
    assert sync_status(company.settings, "news")["failed"] == 1
    company.now += timedelta(hours=23)
    assert company.plan(wanted(1), bad) is None
    company.now += timedelta(hours=1)
    assert statuses(company.loop(wanted(1), bad)) == {"c0002": ("failed", "INVALID_EMAIL")}
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
    assert statuses(company.loop(wanted(1), wanted(2))) == {"c0002": ("sent", "")}
    assert company.writes() == {"p0001@x.org": 1, "p0002@x.org": 1}


def test_a_waiting_failure_is_still_told_as_failed(company):
    """A later run that leaves a failed row waiting counts it, so that the books balance."""
    company.allow(1, 2, 3)
    company.loop(wanted(1), wanted(2, id="not-an-address"))
    run = plan_run(
        company.settings,
        SYNC.model_copy(update={"removed": "-"}),
        [wanted(1), wanted(2, id="not-an-address"), wanted(3)],
        company.now,
        company.inputs,
    )
    company.publish()
    assert run.failed_waiting == 1
    counts = sync_status(company.settings, "news")
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
    assert statuses(company.loop(wanted(1))) == {"c0001": ("sent", "")}
    assert company.writes() == {"p0001@x.org": 2}
    assert sync_status(company.settings, "news")["sent"] == 1


def test_a_success_that_wrote_nothing_is_a_failure(company):
    """2xx with neither results nor errors."""
    company.allow(1)
    company.fault(status=200)
    assert statuses(company.loop(wanted(1))) == {"c0001": ("failed", "NOT_WRITTEN")}


def test_hubspots_own_trouble_leaves_the_chunk_open_and_free(company):
    """503 through all tries: Transient, no outcome, and the next worker need not wait for the lease."""
    company.allow(1)
    run = company.plan(wanted(1))
    company.fault(status=503, times=5)
    with stamina.set_testing(True, attempts=5), pytest.raises(Transient, match="503"):
        company.publish()
    counts = sync_status(company.settings, "news")
    assert (counts["in_flight"], counts["balanced"]) == (1, True)
    assert (
        deliver(company.settings, "news", run.run, run.chunk_ids()[0], company.now).rows[0].status == "sent"
    )
    assert company.writes() == {"p0001@x.org": 1}


def test_a_wrong_token_leaves_the_chunk_open_and_says_what_to_do(company):
    """401 is no row's fault: Terminal, and with the token mended the chunk goes."""
    company.allow(1)
    run = company.plan(wanted(1))
    company.hubspot.token = "rotated"
    with pytest.raises(Terminal, match="lakehouse/hubspot"):
        company.publish()
    company.hubspot.token = "pat-test"
    assert (
        deliver(company.settings, "news", run.run, run.chunk_ids()[0], company.now).rows[0].status == "sent"
    )


@pytest.mark.parametrize("again", [False, True])
def test_what_was_written_without_an_answer_is_taken_off_when_consent_is_withdrawn(company, again):
    """The upsert arrives, its answers are lost, consent goes before the next try: it counts as written."""
    company.allow(1)
    company.fault(status=500, where="after", drop=True, times=5, path="batch/upsert")
    run = company.plan(wanted(1))
    (chunk,) = run.chunk_ids()
    with pytest.raises(Transient):
        company.publish()
    assert company.held(1) == "vip"
    company.now += timedelta(minutes=5)
    company.allow()
    outcome = deliver(company.settings, "news", run.run, chunk, company.now)
    assert statuses(outcome.rows) == {"c0001": ("withheld", "consent")}
    company.inputs["ops.segment_members"] = "2"
    if again:  # consent comes back: it is written again, though the CRM may hold it
        company.now += timedelta(minutes=5)
        company.allow(1)
        assert statuses(company.loop(wanted(1))) == {"c0001": ("sent", "")}
        assert company.held(1) == "vip"
    else:
        assert statuses(company.loop(wanted(1, consented=False))) == {"c0001": ("removed", "")}
        assert company.held(1) == ""
        company.inputs["ops.segment_members"] = "3"
        assert company.plan(wanted(1, consented=False)) is None
