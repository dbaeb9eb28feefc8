"""One behaviour for every destination, continued: removal, robots, silence, and faults in any order.

`tests/support/destination_worlds.py` lists them; a new destination is a line there.
"""

from __future__ import annotations

import logging

import pytest
import stamina
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lakehouse.errors import LakehouseError, Terminal
from lakehouse.outbound.destinations import NothingWritten, NotSent
from tests.support.destination_simulators import SIGNING, TOKEN
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import FILES, KINDS, OVER_HTTP, ROBOTS, SPEAKING, WORLDS, World

KEEPING = [name for name in WORLDS if name not in SPEAKING]
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
LOST = Fault(lost=True, after=True)


def _fates(answers):
    return [answers[number].fate for number in sorted(answers)]


def _people(world, count=3):
    return [world.row(n, f"p{n}@x.org") for n in range(count)]


@pytest.mark.parametrize("name", KEEPING)
def test_who_leaves_is_taken_off_as_declared(make, name):
    """Cleared, deleted, off the list, or nothing can be done; the others stay. Nobody is made by a removal."""
    world = make(name)
    first = world.send(*_people(world, 2))
    crm_id = first[0].crm_id
    answers = world.send(world.leaver(0, "p0@x.org", crm_id), world.leaver(1, "nobody@x.org"), run="00000002")
    assert [answers[n].status for n in (0, 1)] == ["removed", "removed"]
    removal = world.destination.declared.removal
    held = world.held("p0@x.org")
    if removal in ("clear", "file"):
        assert held == ""
    elif removal == "none":
        assert held == "gold"
    else:
        assert held is None
    assert world.holds("p1@x.org")
    assert name in ("webhook", *FILES) or world.held("nobody@x.org") is None


@pytest.mark.parametrize("name", [name for name in KEEPING if name not in ("sms", "email")])
@pytest.mark.parametrize(
    "fault", [LOST, Fault(refused=True), Fault(status=429)], ids=["lost", "refused", "429"]
)
def test_a_removal_survives_what_an_upsert_does(make, name, fault):
    """By the address alone, too, when the record's id was never told."""
    world = make(name)
    world.send(*_people(world, 1))
    world.fail(fault)
    assert world.deliver(world.leaver(0, "p0@x.org"), run="00000002")[0].status == "removed"
    assert world.held("p0@x.org") in (None, "")


@pytest.mark.parametrize("name", ROBOTS)
def test_a_robot_says_how_many_and_nobodys_name(make, name):
    """One message; who leaves is no news."""
    world = make(name)
    world.send(*_people(world, 37), world.leaver(37, "gone@x.org"))
    assert world.simulator.messages == ["37 regulars went quiet this week"]
    assert "x.org" not in world.texts()
    answers = world.send(world.leaver(0, "gone@x.org"), run="00000002")
    assert (answers[0].status, len(world.simulator.messages)) == ("removed", 1)


@pytest.mark.parametrize("code", [-1, 9499, 130101, 45009])
@pytest.mark.parametrize("name", ROBOTS)
def test_a_robot_that_was_asked_too_often_is_asked_again(make, name, code):
    """They answer 200 with a code of their own; one of another vendor needs a person."""
    world = make(name)
    world.fail(Fault(status=200, text=f'{{"errcode": {code}, "code": {code}}}'))
    if str(code) in type(world.destination).later:
        assert _fates(world.send(*_people(world))) == ["sent"] * 3
    else:
        with pytest.raises(NothingWritten):
            world.send(*_people(world))
    assert len(world.simulator.messages) <= 1


@pytest.mark.parametrize(
    "bad", ["a@x.org\nBcc: evil@x.org", "a@x.org\r\n", "\x00@x.org", "a\u2028@x.org", ""]
)
@pytest.mark.parametrize("name", WORLDS)
def test_an_address_with_a_line_break_goes_nowhere(make, name, bad):
    """It is a row that fails; its neighbours are sent, and nothing of it leaves."""
    world = make(name)
    answers = world.send(world.row(0, "a@y.org"), world.row(1, bad))
    assert _fates(answers) == ["sent", "not sent"]
    assert answers[1].code == "BAD_ID"
    assert "evil" not in world.texts()


@pytest.mark.parametrize("name", WORLDS)
def test_a_chunk_of_nothing_asks_nothing(make, name):
    """Nobody due: no request."""
    world = make(name)
    assert (world.send(), world.asked) == ({}, 0)


@pytest.mark.parametrize("fault", [401, 403, 404, 301, 307, 400, 500, 502, 429, 0])
@pytest.mark.parametrize("name", WORLDS)
def test_neither_secrets_nor_people_are_in_logs_or_errors(make, name, fault, caplog):
    """Also where an answer quotes them; every logger, every level, every fault."""
    caplog.set_level(logging.DEBUG)
    world = make(name)
    secrets = {TOKEN, SIGNING, *KINDS[name].secret.values()}
    quoting = " ".join([*secrets, "secret.person@x.org"])
    headers = {"Location": f"https://elsewhere.test/{TOKEN}"} if fault in (301, 307) else {}
    faults = [Fault(status=fault, text=f'{{"message": "{quoting}", "code": "{quoting}"}}', headers=headers)]
    world.fail(*faults * 9 if fault else [Fault(lost=True, after=True)] * 9)
    said = ""
    try:
        answers = world.send(world.row(0, "secret.person@x.org"))
    except LakehouseError as error:
        said = f"{error}{error!r}{error.__cause__!r}"
    else:
        said = repr(answers)
    said += caplog.text + repr(world.destination) + repr(vars(world.destination))
    assert [secret for secret in secrets if secret in said] == []
    assert "secret.person" not in said


@pytest.mark.parametrize("status", [401, 403, 404, 301])
@pytest.mark.parametrize("name", OVER_HTTP)
def test_what_a_person_must_mend_is_terminal(make, name, status):
    """With the file or the secret to look at; a redirect is not followed; nothing was written, and that is known."""
    world = make(name)
    world.fail(Fault(status=status, headers={"Location": "https://169.254.169.254/"}))
    with pytest.raises(Terminal) as caught:
        world.send(*_people(world))
    assert isinstance(caught.value, NothingWritten) or world.destination.idempotent
    assert world.asked == 1
    assert world.called in str(caught.value) or "lakehouse/hubspot" in str(caught.value) or name == "hubspot"


FAULTS = st.sampled_from(
    [
        *[Fault()] * 4,
        Fault(status=429),
        Fault(status=500),
        Fault(status=502, text=HTML, after=True),
        Fault(status=400, text='{"code": "NO", "category": "NO"}'),
        Fault(refused=True),
        Fault(lost=True),
        LOST,
        Fault(status=200),
        Fault(status=403),
    ]
)


@pytest.mark.parametrize(
    "name",
    [
        "hubspot",
        "zoho",
        "wukong",
        "own_crm_batch",
        "own_crm",
        "sms",
        "salesforce",
        "salesforce_bulk",
        "wecom_tags",
    ],
)
@hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(faults=st.lists(FAULTS, max_size=8), people=st.integers(1, 6), attempts=st.integers(1, 3))
def test_an_answer_is_true_whatever_goes_wrong(name, tmp_path_factory, faults, people, attempts):
    """The rule: `sent` is there, `not sent` is not, nothing comes twice that must not, `NotSent` left nothing."""
    with pytest.MonkeyPatch.context() as monkeypatch, stamina.set_testing(True, attempts=4):
        world = World(name, tmp_path_factory.mktemp("w"), monkeypatch)
        world.fail(*faults)
        names = [f"p{n}@x.org" for n in range(people)]
        may_be_there = False
        for _ in range(attempts):
            if may_be_there and not world.destination.idempotent:
                return
            try:
                answers = world.send(*_people(world, people))
            except (NotSent, NothingWritten):
                assert may_be_there or not any(map(world.times, names))
                continue
            except LakehouseError:
                may_be_there = True
                continue
            for number, answer in answers.items():
                there = world.holds(names[number])
                assert there or answer.fate != "sent" or _believed(world)
                assert answer.fate != "not sent" or not there or may_be_there
            break
        if not world.destination.idempotent:
            assert all(world.times(one) <= 1 for one in names)


def _believed(world):
    """Return whether a 2xx without a body is taken for done: then the fault lied, not the destination."""
    return not world.kind.tells
