"""Templates are filled in as they say, and what an answer lacks is not assumed."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import unquote

import httpx
import pytest

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.client import at, code_or
from lakehouse.outbound.destinations.credentials import Credentials
from lakehouse.outbound.destinations.exchange import AskAgain, Refused
from lakehouse.outbound.destinations.http_answers import Asked, read_answer
from lakehouse.outbound.destinations.template import Answers, Call, load_template, render
from lakehouse.outbound.destinations.template_request import make_request
from lakehouse.outbound.records import Chunk, Row
from tests.support.destination_wire import Fault

SECRETS = Credentials({"token": "t0"}, "x")


def _chunk(rows):
    return Chunk("news", "1", "abc-0001", "mine", "Contacts", "Email", "marketing", "email", rows)


def _row(number, name, **properties):
    return Row(number, f"c{number}", name, "upsert", properties, f"9{number}")


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("{a}", [1]),
        ("x{b}y{b}", "xtyt"),
        ({"*": "{m}", "n": 1}, {"p": "q", "n": 1}),
        ({"{b}": ["{b}", 2, None, True]}, {"t": ["t", 2, None, True]}),
        ("{not a name}", "{not a name}"),
        ("{b|sha256}", hashlib.sha256(b"t").hexdigest()),
        ("{", "{"),
    ],
)
def test_placeholders_are_filled_in(value, made):
    """Alone they take the value as it is, within a text its text; a mapping is spread."""
    assert render(value, {"a": [1], "b": "t", "m": {"p": "q"}}.__getitem__) == made


def test_a_value_is_never_taken_for_a_template():
    """A person may call themselves `{secret.token}`."""
    rows = [_row(0, "{secret.token}@x.org", note="{secret.token}{rows}")]
    request = make_request(load_template("zoho_crm").upsert, {}, _chunk(rows), rows, SECRETS)
    assert request.json["data"] == [{"Email": "{secret.token}@x.org", "note": "{secret.token}{rows}"}]


@pytest.mark.parametrize("name", ["../../admin", "a/b?c=d#e", "a%2Fb", "刘 伟", "..."])
def test_an_id_stays_within_its_part_of_a_path(name):
    """It cannot lead to another endpoint."""
    rows = [_row(0, name)]
    path = make_request(load_template("own_crm").upsert, {}, _chunk(rows), rows, SECRETS).path
    assert path.count("/") == 2
    assert unquote(path.rsplit("/", 1)[1]) == name
    assert httpx.URL("https://x.org").join(path).raw_path.decode().startswith("/Contacts/")


@pytest.mark.parametrize("name", [".", ".."])
def test_an_id_that_leads_up_is_a_row_that_fails(make, name):
    """`/contacts/..` is everybody; a DELETE of it would be a catastrophe."""
    world = make("own_crm")
    answers = world.send(
        world.leaver(0, name), world.leaver(1, "a@x.org"), world.row(2, name), world.row(3, "b@x.org")
    )
    assert [(answers[n].fate, answers[n].code) for n in (0, 2)] == [("not sent", "NO_PATH")] * 2
    assert [answers[n].fate for n in (1, 3)] == ["sent"] * 2
    assert world.asked == 2


def test_addresses_leave_for_ad_platforms_as_hashes_alone(make):
    """Of their lower case, without blanks."""
    world = make("ad_audience")
    world.send(world.row(0, "Lea@X.org"))
    assert json.loads(world.texts()) == {"add": [hashlib.sha256(b"lea@x.org").hexdigest()]}


def test_a_request_is_called_the_same_when_it_comes_again(make):
    """For APIs that know such a key; of other rows it is another."""
    world = make("own_crm")
    world.fail(Fault(status=500))
    world.send(world.row(0, "a@x.org"), world.row(1, "b@x.org"))
    keys = [request.headers["Idempotency-Key"] for request in world.wire.requests]
    assert keys[0] == keys[1] != keys[2]


def test_a_find_that_contains_is_no_find(make):
    """悟空CRM finds every name that contains a text: only the one that is it is updated, else one is made."""
    world = make("wukong")
    world.send(world.row(0, "Anna Maria"), world.row(1, "Anna"), world.row(2, "anna maria", "silver"))
    assert {name: record["tier"] for name, record in world.simulator.records.items()} == {
        "anna maria": "silver",
        "anna": "gold",
    }


def test_several_records_of_one_name_are_told(make):
    """Nobody knows which one is meant."""
    world = make("wukong")
    world.send(world.row(0, "Anna"))
    answer = world.simulator.answer
    found = [{"customerId": number, "customerName": name} for number, name in (("1", "Anna"), ("77", "ANNA"))]
    listed = {"code": 0, "data": {"list": found}}
    world.simulator.answer = lambda request: (
        httpx.Response(200, json=listed) if "queryPageList" in str(request.url) else answer(request)
    )
    assert world.send(world.row(0, "Anna"))[0].code == "SEVERAL_RECORDS"


ROWS = [_row(0, "a"), _row(1, "b")]
ASKED = Asked(ROWS, {0: "a", 1: "b"})
BY_PLACE = {"rows": "data", "success": {"path": "ok", "values": [True]}, "id": "id"}


@pytest.mark.parametrize(
    ("says", "body", "fates"),
    [
        ({}, None, {0: "sent", 1: "sent"}),
        (BY_PLACE, {"data": [{"ok": True}, {"ok": False, "code": "NO"}]}, {0: "sent", 1: "not sent"}),
        (BY_PLACE, {"data": [{"ok": True}]}, {}),
        (BY_PLACE, {"data": [{"ok": True}] * 3}, {}),
        (BY_PLACE, {"data": "x"}, {}),
        (BY_PLACE, [], {}),
        (BY_PLACE, {"data": [None, 3]}, {0: "not sent", 1: "not sent"}),
        (BY_PLACE | {"match": "key"}, {"data": [{"ok": True, "key": "B"}]}, {1: "sent"}),
        (BY_PLACE | {"match": "key"}, {"data": [{"ok": True, "key": "b"}, {"ok": False, "key": "B"}]}, {}),
        (BY_PLACE | {"match": "key"}, {"data": [{"ok": True, "key": "z"}, {"ok": True}]}, {}),
        ({"accepted": {"path": "code", "values": [0]}}, {"code": 0}, {0: "sent", 1: "sent"}),
        ({"accepted": {"path": "code", "values": [0]}}, {"code": "0"}, {0: "sent", 1: "sent"}),
        ({"accepted": {"path": "code", "values": [0]}}, {"other": 1}, {}),
        ({"accepted": {"path": "code", "values": [0]}}, {"code": None}, {}),
    ],
)  # fmt: skip
def test_what_an_answer_says(says, body, fates):
    """By place only where there are as many parts as rows; by name only where a name is there once."""
    response = httpx.Response(200, content=b"" if body is None else json.dumps(body).encode())
    answers = read_answer(Answers(**says), response, ASKED, "it")
    assert {number: answer.fate for number, answer in answers.items()} == fates


@pytest.mark.parametrize(("code", "error"), [(429, AskAgain), (302, Terminal), (7, Refused)])
def test_a_success_whose_body_says_no(code, error):
    """Later, wrong credentials, or refused."""
    says = Answers(accepted={"path": "code", "values": [0]}, later=[429], denied=[302])
    with pytest.raises(error):
        read_answer(says, httpx.Response(200, json={"code": code}), ASKED, "it")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("NO_SUCH.FIELD-1", "NO_SUCH.FIELD-1"),
        (7, "7"),
        (True, "x"),
        ("a@x.org is wrong", "x"),
        (None, "x"),
        ({}, "x"),
    ],
)
def test_a_code_is_a_word(value, code):
    """A text that could quote a person is none."""
    assert code_or(value, "x") == code


@pytest.mark.parametrize(
    ("path", "found"), [("", {"a": [{"b": 1}]}), ("a.0.b", 1), ("a.1.b", None), ("a.b", None), ("c.d", None)]
)
def test_paths_lead_into_json(path, found):
    """Names and places with dots between; None where nothing is."""
    assert at({"a": [{"b": 1}]}, path) == found


def test_several_rows_have_no_one_id():
    """A template that asks for it is a mistake, and told."""
    with pytest.raises(Terminal, match="is of one row"):
        make_request(Call(path="/x", body="{id}"), {}, _chunk(ROWS), ROWS, SECRETS)
