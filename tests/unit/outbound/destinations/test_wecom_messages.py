"""企业微信's messages to customers: one a run, who is not reached is told, and nothing is said twice."""

from __future__ import annotations

import pytest
import stamina

from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound import destination_fit
from lakehouse.outbound.destinations import NothingWritten, NotSent
from lakehouse.outbound.destinations.definition import parse_destination
from lakehouse.outbound.destinations.wecom_messages import NOT_REACHED
from tests.support.destination_simulators import BAD
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import World
from tests.unit.outbound.test_changes import SYNC


@pytest.fixture
def world(tmp_path, monkeypatch):
    with stamina.set_testing(True, attempts=3):
        yield World("wecom_messages", tmp_path, monkeypatch)


def _send(world, *names):
    return world.send(*(world.row(number, name) for number, name in enumerate(names)))


def test_all_of_a_run_are_one_message(world):
    """An employee confirms once, and not once a customer."""
    answers = _send(world, *(f"wm{n}" for n in range(300)))
    assert {answer.status for answer in answers.values()} == {"sent"}
    assert [(text, len(reached)) for text, reached in world.simulator.messages] == [
        ("The new teas are there", 300)
    ]


def test_who_is_not_reached_is_told_and_stops_nobody(world):
    """Nobody follows the customer any more, or it had its four messages of the month; also where it is the only one."""
    answers = _send(world, "wm1", BAD, "wm2")
    assert [(answers[n].status, answers[n].code) for n in range(3)] == [
        ("sent", ""),
        ("failed", NOT_REACHED),
        ("sent", ""),
    ]
    alone = _send(world, BAD)[0]
    assert (alone.fate, alone.code) == ("not sent", "41048")


def test_what_may_have_been_said_is_not_said_again(world):
    """The answer was lost: nobody knows whether employees have the task."""
    world.fail(Fault(lost=True, after=True))
    answers = _send(world, "wm1", "wm2")
    assert {answer.status for answer in answers.values()} == {"unknown"}
    assert len(world.simulator.messages) == 1


@pytest.mark.parametrize("code", [45009, 45033])
def test_a_limit_is_waited_out(world, code):
    """Nothing was made."""
    world.simulator.codes = [code]
    assert _send(world, "wm1")[0].status == "sent"
    world.simulator.codes = [code] * 20
    with pytest.raises(NotSent):
        _send(world, "wm2")
    assert len(world.simulator.messages) == 1


def test_a_token_that_ran_out_is_got_anew(world):
    """Once, and the message is made once."""
    _send(world, "wm1")
    world.simulator.valid_tokens = {"another"}
    assert _send(world, "wm2")[0].status == "sent"
    assert (world.simulator.tokens_given, len(world.simulator.messages)) == (2, 2)


def test_an_app_without_the_right_needs_a_person(world):
    """Nothing was written, and the row goes again once the app may."""
    world.simulator.codes = [48002]
    with pytest.raises((Terminal, NothingWritten), match="48002"):
        _send(world, "wm1")
    assert world.simulator.messages == []


def test_it_writes_to_people():
    """So consent has to be asked."""
    asked = SYNC.model_copy(update={"purpose": "none"})
    assert "purpose" in dict(destination_fit.problems(asked, "wecom_messages"))


@pytest.mark.parametrize("message", ["''", "x" * 1_301])
def test_a_message_says_something_and_fits(message):
    """The API takes 4,000 bytes; a Chinese letter has three."""
    text = f"name: m\nkind: wecom_messages\nmessage: {message}\n"
    with pytest.raises(BadDefinition, match="message"):
        parse_destination(text, "m.yaml")
