"""企业微信's tags of customers: what is marked and taken off, tokens that run out, limits, nobody's customers.

Inputs are those that people report of other tools; each names its thread.
"""

from __future__ import annotations

import pytest
import stamina

from lakehouse.errors import Terminal
from lakehouse.outbound import destination_fit
from lakehouse.outbound.destinations import NotSent
from lakehouse.outbound.destinations.wecom_tags import Marked, marks, names_of
from lakehouse.outbound.records import Row
from tests.support.destination_simulators import BAD
from tests.support.destination_wire import Fault
from tests.support.destination_worlds import World
from tests.unit.outbound.test_changes import SYNC

IDS = {("tier", "gold"): "t1", ("tier", "silver"): "t2", ("life", "new"): "t3"}


def _follow(userid, *tags):
    return {"userid": userid, "tags": [{"group_name": group, "tag_id": tag} for group, tag in tags]}


@pytest.fixture
def world(tmp_path, monkeypatch):
    with stamina.set_testing(True, attempts=3):
        yield World("wecom_tags", tmp_path, monkeypatch)


def _row(number, name, **properties):
    return Row(number, f"c{number}", name, "upsert", properties)


@pytest.mark.parametrize(
    ("follows", "wanted", "changes"),
    [
        ([_follow("a")], {"tier": ["gold"]}, [Marked("a", ["t1"], [])]),
        ([_follow("a", ("tier", "t2"))], {"tier": ["gold"]}, [Marked("a", ["t1"], ["t2"])]),
        ([_follow("a", ("tier", "t1"))], {"tier": ["gold"]}, [Marked("a", [], [])]),
        ([_follow("a", ("tier", "t1"), ("life", "t3"))], {"tier": []}, [Marked("a", [], ["t1"])]),
        ([_follow("a", ("tier", "t1")), _follow("b")], {"tier": ["gold"], "life": ["new"]},
         [Marked("a", ["t3"], []), Marked("b", ["t1", "t3"], [])]),
        ([{"userid": "a", "tags": [{"group_name": "tier", "tag_name": "mine", "type": 2}]}], {"tier": []},
         [Marked("a", [], [])]),  # an employee's own tag has no id, and stays
        ([{"userid": "a"}], {"tier": ["gold"]}, [Marked("a", ["t1"], [])]),
        ([], {"tier": ["gold"]}, []),
        (None, {"tier": ["gold"]}, []),
    ],
)  # fmt: skip
def test_a_contact_gets_what_it_lacks_and_loses_what_it_has_too_much(follows, wanted, changes):
    """In the groups of the sync, of each who follows it; tags of other groups are not ours."""
    assert marks({"follow_user": follows}, wanted, IDS) == changes


def test_a_value_names_several_tags():
    """As segments do, with semicolons; blanks name none."""
    assert names_of("vip; 老客 ;;") == ["vip", "老客"]
    assert names_of("") == []


def test_all_who_follow_a_customer_mark_it(world):
    """A tag hangs on an employee's relation with the customer."""
    world.simulator.followers["wm1"] = ["sales-1", "sales-2"]
    world.send(_row(0, "wm1", tier="gold"))
    assert {userid for _, userid in world.simulator.marked} == {"sales-1", "sales-2"}
    world.send(_row(0, "wm1", tier="silver;gold"), run="2")
    assert world.held("wm1") == "gold;silver"
    asked = world.asked
    world.send(_row(0, "wm1", tier="gold;silver"), run="3")
    assert world.asked == asked  # nothing to change: nothing is marked


def test_tags_that_are_missing_are_made_where_the_file_says_so(tmp_path, monkeypatch):
    """openscrm/api-server#28: without empty ids, which are refused. Else a person is told, without the value."""
    with stamina.set_testing(True, attempts=3):
        world = World("wecom_tags", tmp_path, monkeypatch)
        with pytest.raises(Terminal, match=r"lacks 1 of a row's tags") as caught:
            world.send(_row(0, "wm1", tier="浪漫", life="new"))
        assert "浪漫" not in str(caught.value)
        object.__setattr__(world.destination._definition, "create_tags", True)
        world.send(_row(0, "wm1", tier="浪漫", life="new"))
    assert world.simulator.records["wm1"] == {"_id": "wm1", "tier": "浪漫", "life": "new"}


@pytest.mark.parametrize("code", [40014, 42001])
def test_a_token_that_has_run_out_is_got_anew_once(world, code):
    """easywechat#2274, WePush#213: it is kept, since getting one each time runs into a limit of its own."""
    world.send(_row(0, "wm1", tier="gold"))
    world.send(_row(0, "wm2", tier="gold"))
    assert world.simulator.tokens_given == 1
    world.simulator.valid_tokens = set()
    world.simulator.codes = [code]
    assert world.send(_row(0, "wm3", tier="gold"))[0].fate == "sent"
    assert world.simulator.tokens_given == 3


def test_a_token_that_opens_nothing_needs_a_person(world):
    """Not asked for for ever."""
    world.send(_row(0, "wm1", tier="gold"))
    world.simulator.codes = [42001, 42001]
    with pytest.raises(Terminal, match="42001"):
        world.send(_row(0, "wm2", tier="gold"))


@pytest.mark.parametrize("code", [45009, 45033])
def test_limits_that_come_with_200_are_waited_out(world, code):
    """openscrm/api-server#8, laravel-wechat#104: nothing was done; for good, the chunk goes again."""
    world.simulator.codes = [code]
    assert world.send(_row(0, "wm1", tier="gold"))[0].fate == "sent"
    world.simulator.codes = [code] * 9
    with pytest.raises(NotSent, match=str(code)):
        world.send(_row(0, "wm2", tier="gold"))


def test_one_relation_that_was_ended_does_not_keep_the_others_from_their_tags(world):
    """84061 of one employee, who has left the customer between two requests."""
    world.simulator.followers["wm1"] = ["sales-1", "sales-2"]
    world.simulator.codes = [84061]
    assert world.send(_row(0, "wm1", tier="gold"))[0].fate == "sent"
    assert {userid for _, userid in world.simulator.marked} == {"sales-2"}


@pytest.mark.parametrize("code", [84061, 86003, 40096])
def test_who_is_nobodys_customer_is_a_row_that_fails(world, code):
    """Its neighbours do not; and taking tags off it is done already."""
    world.simulator.codes = [code]
    answers = world.send(_row(0, "wm1", tier="gold"), _row(1, "wm2", tier="gold"))
    assert [(one.fate, one.code) for one in answers.values()] == [("not sent", str(code)), ("sent", "")]
    assert world.send(world.leaver(0, BAD))[0].code == "GONE"


def test_a_tag_that_was_deleted_and_made_anew_meanwhile_is_asked_for_again(world):
    """WxJava#1850 (40068): the row fails, the next one asks which tags there are."""
    world.send(_row(0, "wm1", tier="gold"))
    tags = world.simulator.groups["tier"]
    del tags[next(tag for tag, name in tags.items() if name == "gold")]
    tags["et-made-anew"] = "gold"
    answers = world.send(_row(0, "wm2", tier="gold"), _row(1, "wm3", tier="gold"))
    assert [(one.fate, one.code) for one in answers.values()] == [("not sent", "40068"), ("sent", "")]


def test_the_second_of_two_that_finds_no_connection_is_not_called_unsent(world):
    """The first was marked: it may not be said that nothing left."""
    world.simulator.followers["wm1"] = ["sales-1", "sales-2"]
    world.fail(Fault(), *[Fault(refused=True)] * 9)
    with pytest.raises(Exception, match="cannot be reached") as caught:
        world.send(_row(0, "wm1", tier="gold"))
    assert not isinstance(caught.value, NotSent)


def test_tags_need_no_purpose_of_contact():
    """They reach no customer: a sync that only keeps records may say `purpose: none`."""
    sync = SYNC.model_copy(update={"purpose": "none"})
    assert "purpose" not in dict(destination_fit.problems(sync, "wecom_tags"))
    assert "purpose" in dict(destination_fit.problems(sync, "wecom"))
