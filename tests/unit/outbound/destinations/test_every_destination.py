"""One behaviour for every destination: what a row's answer says is true, whatever goes wrong on the way.

`tests/support/destination_worlds.py` lists them; a new destination is a line there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from lakehouse.errors import LakehouseError, Transient
from lakehouse.outbound.destinations import NotSent, batch_limit
from lakehouse.outbound.policy import BulkPolicy
from tests.support.destination_simulators import BAD, POISON
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import FILES, KINDS, OVER_HTTP, SPEAKING, WORLDS

JUDGING = [name for name in WORLDS if KINDS[name].judges]
REFUSING = [name for name in WORLDS if KINDS[name].refuses]
TELLING = [name for name in WORLDS if KINDS[name].tells]
NAMING = [name for name in WORLDS if KINDS[name].names]
NO_LIST = ("wukong", "wecom_tags", "wecom_messages")  # one by one, or only of whom it failed
PARTS = [name for name in TELLING if name not in NO_LIST and not KINDS[name].jobs]  # answers in one list
KEEPING = [name for name in WORLDS if name not in SPEAKING]
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
LOST = Fault(lost=True, after=True)


def _fates(answers):
    return [answers[number].fate for number in sorted(answers)]


def _people(world, count=3):
    return [world.row(n, f"p{n}@x.org") for n in range(count)]


@pytest.mark.parametrize("name", WORLDS)
def test_rows_are_written_and_answered(make, name):
    """Each has an answer, and the destination holds what was sent."""
    world = make(name)
    assert _fates(world.send(*_people(world))) == ["sent"] * 3
    assert all(world.holds(f"p{n}@x.org") for n in range(3))
    assert {world.times(f"p{n}@x.org") for n in range(3)} == {1}


@pytest.mark.parametrize("name", WORLDS)
def test_no_request_has_more_rows_than_declared(make, name):
    """Whatever the chunk's length."""
    world = make(name)
    declared = world.destination.declared
    count = min(declared.batch + 3, 1100)
    answers = world.send(*_people(world, count))
    assert _fates(answers) == ["sent"] * count
    assert max(world.batches) <= (BulkPolicy.chunk_rows if world.kind.jobs else declared.batch)
    assert batch_limit(world.called, world.settings.definitions) >= 1


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_declared_idempotent_is(make, name):
    """The same chunk again, as after a crash: nothing is there twice. Else no chunk is sent again at all."""
    world = make(name)
    assert world.destination.declared.idempotent == world.destination.idempotent
    if not world.destination.idempotent:
        assert world.destination.declared.removal == "none"
        return
    world.send(*_people(world))
    before = [world.holds(f"p{n}@x.org") for n in range(3)]
    world.send(*_people(world))
    assert [world.holds(f"p{n}@x.org") for n in range(3)] == before == [True] * 3
    assert name in FILES or len(world.simulator.records) == 3


@pytest.mark.parametrize("retry_after", ["1", "soon", "date", "past", None])
@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_rate_limit_is_waited_out(make, name, retry_after):
    """429, with Retry-After in seconds, as a date, or as neither: nothing was done, and it is asked again."""
    world = make(name)
    ahead = timedelta(seconds=3 if retry_after == "date" else -300)
    moment = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
    header = moment if retry_after in ("date", "past") else retry_after
    fault = Fault(status=429, headers={} if header is None else {"Retry-After": header})
    world.fail(fault, fault)
    assert _fates(world.send(*_people(world))) == ["sent"] * 3
    assert {world.times(f"p{n}@x.org") for n in range(3)} == {1}


@pytest.mark.parametrize("fault", [Fault(status=429), Fault(refused=True)], ids=["429", "refused"])
@pytest.mark.parametrize("name", WORLDS)
def test_where_nothing_can_have_left_that_is_said(make, name, fault):
    """For good: the chunk goes again, also where a row must not be sent twice."""
    world = make(name)
    world.fail(*[fault] * 9)
    with pytest.raises(Transient) as caught:
        world.send(*_people(world))
    assert name in FILES or isinstance(caught.value, NotSent)
    assert not any(world.times(f"p{n}@x.org") for n in range(3))


@pytest.mark.parametrize("name", WORLDS)
def test_a_refused_connection_is_tried_again(make, name):
    """Once refused, then there."""
    world = make(name)
    world.fail(Fault(refused=True))
    assert _fates(world.deliver(*_people(world))) == ["sent"] * 3
    assert {world.times(f"p{n}@x.org") for n in range(3)} == {1}


@pytest.mark.parametrize(
    "fault",
    [
        LOST,
        Fault(lost=True),
        Fault(status=500),
        Fault(status=503, after=True),
        Fault(status=502, text=HTML, after=True),
        Fault(status=408, after=True),
    ],
    ids=["lost-after", "lost-before", "500-before", "503-after", "502-html-after", "408-after"],
)
@pytest.mark.parametrize("name", WORLDS)
def test_an_answer_that_does_not_come(make, name, fault):
    """Written or not: who may be written twice is; who may not is told, and neither sent again nor called unsent."""
    world = make(name)
    rows = _people(world)[:1]
    world.fail(fault)
    fates = _fates(world.deliver(*rows))
    if world.destination.idempotent:
        assert fates == ["sent"]
        assert world.holds("p0@x.org")
    else:
        assert fates == ["ambiguous"]
        assert world.asked == 1
        assert world.times("p0@x.org") == int(fault.after)


@pytest.mark.parametrize("name", WORLDS)
def test_answers_that_are_lost_for_good(make, name):
    """Never `NotSent`: something may have been written."""
    world = make(name)
    world.fail(*[LOST] * 9)
    if world.destination.idempotent:
        with pytest.raises(Transient) as caught:
            world.send(*_people(world)[:1])
        assert not isinstance(caught.value, NotSent)
    else:
        assert _fates(world.send(*_people(world)[:1])) == ["ambiguous"]


@pytest.mark.parametrize("name", ["sms", "email"])
def test_what_must_not_be_sent_twice_is_told_row_by_row(make, name):
    """The first was sent, the answer to the second lost, the third not tried: none is forgotten."""
    world = make(name)
    world.fail(Fault(), LOST)
    answers = world.send(*_people(world))
    assert _fates(answers) == ["sent", "ambiguous", "not sent"]
    assert (answers[1].code, answers[2].code) == ("NO_ANSWER", "NOT_SENT_YET")
    assert [world.times(f"p{n}@x.org") for n in range(3)] == [1, 1, 0]


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("name", ["sms", "email"])
def test_a_person_must_act_in_the_middle_of_a_chunk(make, name, status):
    """What was sent before is not forgotten over it."""
    world = make(name)
    world.fail(Fault(), Fault(status=status))
    assert _fates(world.send(*_people(world))) == ["sent", "not sent", "not sent"]


@pytest.mark.parametrize("name", JUDGING)
def test_one_row_fails_and_its_neighbours_do_not(make, name):
    """Partial success: each row has its own answer, with a code of the destination's."""
    world = make(name)
    answers = world.send(world.row(0, "a@x.org"), world.row(1, BAD), world.row(2, "c@x.org"))
    assert _fates(answers) == ["sent", "not sent", "sent"]
    assert answers[1].code
    assert BAD not in answers[1].code
    assert (world.times("a@x.org"), world.times("c@x.org")) == (1, 1)


@pytest.mark.parametrize("name", REFUSING)
def test_a_row_that_spoils_its_request_stands_alone_in_the_end(make, name):
    """A request that fails whole is halved; every good row of it is written, once."""
    world = make(name)
    rows = [*_people(world, 9), world.row(9, POISON)]
    answers = world.send(*rows)
    assert _fates(answers) == ["sent"] * 9 + ["not sent"]
    assert {world.times(f"p{n}@x.org") for n in range(9)} == {1}
    assert world.asked <= 10


@pytest.mark.parametrize("name", NAMING)
def test_answers_in_another_order_are_not_mixed_up(make, name):
    """Where parts name their rows, each row gets its own record's id."""
    world = make(name)
    world.fail(Fault(change=_shuffled))
    answers = world.send(*_people(world))
    assert [answers[n].crm_id for n in range(3)] == [
        world.simulator.records[f"p{n}@x.org"]["_id"] for n in range(3)
    ]


@pytest.mark.parametrize("name", [name for name in PARTS if KINDS[name].judges])
def test_a_part_too_few_makes_no_row_sent_that_may_not_be(make, name):
    """An answer that leaves a row out: where parts have no names, nobody knows whose they are."""
    world = make(name)
    world.fail(Fault(change=_shortened))
    fates = _fates(world.send(*_people(world)))
    assert fates.count("ambiguous") == (1 if name in NAMING else 3)


@pytest.mark.parametrize("name", KEEPING)
def test_nobody_stands_twice_in_a_request(make, name):
    """The same id, also in other letters: what comes later counts, or the row says why it was left out."""
    world = make(name)
    answers = world.send(world.row(0, "a@x.org"), world.row(1, "b@x.org"), world.row(2, "A@x.org", "silver"))
    assert _fates(answers)[:2] == ["sent", "sent"]
    if name in FILES:
        assert answers[2].code == "SAME_ID"
        assert world.holds("a@x.org", "gold")
    else:
        assert answers[2].fate == "sent"
        assert world.holds("a@x.org", "silver")
    assert world.holds("b@x.org")


@pytest.mark.parametrize("name", [name for name in WORLDS if name not in FILES])
def test_an_empty_success_says_no_more_than_it_says(make, name):
    """A 2xx without a body: of an API that names rows it tells nothing, of any other that they were taken."""
    world = make(name)
    world.fail(Fault(status=200))
    fates = _fates(world.send(*_people(world)[:1]))
    if not KINDS[name].tells:
        assert fates == ["sent"]
    else:  # HubSpot is asked again
        assert fates == ["ambiguous"] or (fates == ["sent"] and world.holds("p0@x.org") and world.asked == 2)


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"results": null, "data": 3}', "null", HTML, "[" * 99_999],
    ids=["object", "list", "nulls", "null", "html", "deep"],
)
def test_a_success_that_is_none_is_not_believed(make, name, text):
    """2xx with something else in it: nobody is called sent by that."""
    world = make(name)
    world.fail(*[Fault(status=200, text=text)] * 9)
    said: object = None
    try:
        said = _fates(world.send(*_people(world)[:1]))
    except LakehouseError as error:
        said = "later" if isinstance(error, Transient) and not isinstance(error, NotSent) else error
    assert said in (["ambiguous"], "later")


def _shuffled(response):
    body = response.json()
    body["results"] = body["results"][1:] + body["results"][:1]
    return httpx.Response(response.status_code, json=body)


def _shortened(response):
    body = response.json()
    parts = body if isinstance(body, list) else body.get("results") or body["data"]
    del parts[1]
    return httpx.Response(response.status_code, json=body)
