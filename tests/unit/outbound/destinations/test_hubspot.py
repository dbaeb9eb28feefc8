"""Our HubSpot client: every answer is read row by row, by trace id, and nothing personal is in an error."""

from __future__ import annotations

import json

import httpx
import pytest
import stamina

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer, NotSent, batch_limit, hubspot_api, open_destination
from lakehouse.outbound.destinations.hubspot import HubSpot
from lakehouse.outbound.destinations.hubspot_api import Account
from lakehouse.outbound.records import Chunk, Row
from lakehouse.settings import Settings


def _rows(*addresses, action="upsert", **properties):
    return [
        Row(n, f"c{n}", address, action, properties or {"tier": "gold"})
        for n, address in enumerate(addresses)
    ]


def _chunk(rows):
    return Chunk("news", "00000001", "abc-0001", "hubspot", "contacts", "email", "marketing", "email", rows)


def _send(destination, rows):
    return destination.send(_chunk(rows), rows)


@pytest.fixture
def answering(monkeypatch):
    """A HubSpot that answers what the test gives it, and keeps what it was asked."""

    def make(*answers):
        left = list(answers)
        asked = []

        def answer(request):
            asked.append((request.url.path, json.loads(request.content)))
            status, body, *headers = left.pop(0)
            content = body if isinstance(body, str) else json.dumps(body)
            return httpx.Response(status, text=content, headers=headers[0] if headers else {})

        client = httpx.Client(base_url="http://hubspot.test", transport=httpx.MockTransport(answer))
        monkeypatch.setattr(hubspot_api, "http_client", lambda _: client)
        return HubSpot(Account("http://hubspot.test", "pat-test", "lakehouse/hubspot")), asked

    return make


def _result(number, trace=True, **more):
    return {
        "id": f"9{number}",
        "properties": {},
        **({"objectWriteTraceId": str(number)} if trace else {}),
        **more,
    }


def test_rows_are_matched_by_trace_id_not_by_position(answering):
    """Results in another order, the failed row in the middle."""
    error = {"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": ["1"]}}
    body = {"results": [_result(2), _result(0)], "errors": [error], "numErrors": 1}
    account, asked = answering((207, body))
    answers = _send(account, _rows("a@x.org", "b@x.org", "c@x.org"))
    assert answers == {
        0: Answer("sent", "", "90"),
        1: Answer("failed", "VALIDATION_ERROR"),
        2: Answer("sent", "", "92"),
    }
    path, body = asked[0]
    assert path == "/crm/v3/objects/contacts/batch/upsert"
    assert body["inputs"][1] == {
        "id": "b@x.org",
        "idProperty": "email",
        "properties": {"tier": "gold"},
        "objectWriteTraceId": "1",
    }


def test_the_most_exact_code_is_kept_and_never_a_text(answering):
    """A detail's code before the sub-category before the category; what looks like a sentence is none."""
    errors = [
        {"category": "A", "errors": [{"code": "INVALID_EMAIL"}], "context": {"objectWriteTraceId": ["0"]}},
        {"category": "B", "subCategory": "B.SUB", "context": {"objectWriteTraceId": ["1"]}},
        {"category": "Li Wei has no a@x.org", "context": {"objectWriteTraceId": ["2"]}},
    ]
    account, _ = answering((207, {"results": [], "errors": errors}))
    answers = _send(account, _rows("a@x.org", "b@x.org", "c@x.org"))
    assert [answers[n].code for n in range(3)] == ["INVALID_EMAIL", "B.SUB", "FAILED"]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ({"results": [_result(0, trace=False), _result(1, trace=False)]}, ["sent", "sent"]),
        ({"results": [_result(0, trace=False)]}, ["failed", "failed"]),
        ({"results": [_result(0)]}, ["sent", "failed"]),
        ({"results": []}, ["failed", "failed"]),
        ({}, ["failed", "failed"]),
        ({"results": [_result(1)], "errors": [{"category": "X"}]}, ["failed", "sent"]),
        ({"results": [_result(7), _result(8)]}, ["failed", "failed"]),
        ([], ["failed", "failed"]),
    ],
)
def test_a_row_counts_as_sent_only_when_the_answer_says_so(answering, body, statuses):
    """Trace ids are optional in results; without any, the numbers must agree. Fields may be missing."""
    account, _ = answering((200, body))
    answers = _send(account, _rows("a@x.org", "b@x.org"))
    assert [answers[n].status for n in range(2)] == statuses


def test_a_missing_property_is_nobodys_fault(answering):
    """Every row would fail: Terminal, with the property's name and nothing of the customers."""
    said = (
        'Property values were not valid: [{"error":"PROPERTY_DOESNT_EXIST","name":"tier","value":"a@x.org"}]'
    )
    account, asked = answering((400, {"category": "VALIDATION_ERROR", "message": said}))
    with pytest.raises(Terminal, match="no contact property tier: create it") as caught:
        _send(account, _rows("a@x.org", "b@x.org"))
    assert "a@x.org" not in str(caught.value)
    assert len(asked) == 1


def test_the_wait_is_as_long_as_hubspot_says(answering, monkeypatch):
    """Retry-After is obeyed to the second, but no more than ten seconds in all."""
    slept = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    account, _ = answering(
        (429, {}, {"Retry-After": "3"}), (429, {}, {"Retry-After": "4"}), (200, {"results": [_result(0)]})
    )
    assert _send(account, _rows("a@x.org"))[0].status == "sent"
    assert slept == [3, 4]
    account, asked = answering((429, {}, {"Retry-After": "8"}), (429, {}, {"Retry-After": "8"}))
    with pytest.raises(Transient, match="429"):
        _send(account, _rows("a@x.org"))
    assert (slept, len(asked)) == ([3, 4, 8], 2)


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, Terminal, "token"),
        (403, Terminal, "scope"),
        (404, Terminal, "hubspot_url"),
        (423, Transient, "423"),
        (502, Transient, "502"),
    ],
)
def test_other_answers_leave_the_rows_unsettled(answering, status, error, says):
    """A person must act, or time must pass; in no case is it a row's fault."""
    account, _ = answering(*[(status, {"message": "a@x.org"})] * 5)
    with stamina.set_testing(True, attempts=5), pytest.raises(error, match=says) as caught:
        _send(account, _rows("a@x.org"))
    assert "a@x.org" not in str(caught.value)


def test_a_page_instead_of_json_is_tried_again(answering):
    """A proxy's page with 200 says nothing about the rows."""
    account, _ = answering((200, "<html>"), (200, {"results": [_result(0)]}))
    with stamina.set_testing(True, attempts=5):
        assert _send(account, _rows("a@x.org"))[0].status == "sent"


@pytest.mark.parametrize(
    "read",
    [
        {"results": []},
        {"results": [{"id": "1", "properties": {}}, {"id": "2", "properties": {"email": "other@x.org"}}]},
        {"results": [], "errors": [{"category": "OBJECT_NOT_FOUND"}]},
    ],
)
def test_a_removal_is_never_claimed_without_evidence(answering, read):
    """Neither found by its address nor named as missing: failed, to be tried again."""
    account, _ = answering((207, read))
    assert _send(account, _rows("a@x.org", action="remove")) == {0: Answer("failed", "NOT_FOUND_BY_ID")}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"results": [_result(0, trace=False)]}, 207),
        ({"results": []}, 207),
        ({}, 200),
        ([], 200),
    ],
)
def test_a_row_that_an_answer_does_not_name_may_have_been_written(answering, body, status):
    """A 207 without trace ids says of nobody what became of them: it counts as written until that is known."""
    account, _ = answering((status, body))
    answers = _send(account, _rows("a@x.org", "b@x.org"))
    assert {(answer.status, answer.uncertain) for answer in answers.values()} == {("failed", True)}


def test_a_row_that_is_refused_after_a_lost_answer_may_have_been_written(answering):
    """Written, the answer lost; the second try is refused as a whole, or names the row as wrong."""
    error = {"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": ["0"]}}
    for second in ((409, {"category": "CONFLICT"}), (207, {"results": [], "errors": [error]})):
        account, _ = answering((500, {}), second)
        with stamina.set_testing(True, attempts=5):
            assert _send(account, _rows("a@x.org"))[0].uncertain
    account, _ = answering((409, {"category": "CONFLICT"}))
    assert not _send(account, _rows("a@x.org"))[0].uncertain


def test_what_was_split_after_a_lost_answer_may_have_been_written(answering):
    """The whole batch may have been carried out before it was refused; whoever is sent by a half is sure again."""
    account, _ = answering(
        (500, {}), (409, {"category": "CONFLICT"}), (409, {"category": "CONFLICT"}), (200, {"results": [_result(1)]})
    )  # fmt: skip
    with stamina.set_testing(True, attempts=5):
        answers = _send(account, _rows("a@x.org", "b@x.org"))
    assert answers == {0: Answer("failed", "CONFLICT", uncertain=True), 1: Answer("sent", "", "91")}


def test_nothing_has_left_only_where_no_part_of_the_chunk_has(answering):
    """429 for all tries of the first request; or of the second, after the first was carried out."""
    busy = [(429, {})] * 2
    account, _ = answering(*busy)
    with stamina.set_testing(True, attempts=2), pytest.raises(NotSent):
        _send(account, _rows("a@x.org"))
    account, _ = answering((409, {}), (200, {"results": [_result(0)]}), *busy)
    with stamina.set_testing(True, attempts=2), pytest.raises(Transient) as caught:
        _send(account, _rows("a@x.org", "b@x.org"))
    assert not isinstance(caught.value, NotSent)


def test_a_read_that_is_refused_is_split_like_a_write(answering):
    """One address that HubSpot chokes on costs only its own row."""
    known = {"results": [{"id": "7", "properties": {"email": "b@x.org"}}]}
    account, asked = answering(
        (400, {"category": "VALIDATION_ERROR"}), (400, {"category": "VALIDATION_ERROR"}), (200, known),
        (200, {"results": [_result(0)]}),
    )  # fmt: skip
    answers = _send(account, _rows("a@x.org", "b@x.org", action="remove", tier=""))
    assert answers == {0: Answer("failed", "VALIDATION_ERROR"), 1: Answer("removed", "", "7")}
    assert [path.rpartition("/")[2] for path, _ in asked] == ["read", "read", "read", "update"]


def test_an_unknown_destination_is_told():
    """Terminal, with the ones there are."""
    with pytest.raises(Terminal, match="there are csv_files, hubspot"):
        open_destination(Settings(), "pigeon")
    with pytest.raises(Terminal, match="there are csv_files, hubspot"):
        batch_limit("pigeon")


def test_chunks_are_as_long_as_hubspot_takes_at_once():
    """A hundred inputs a batch request."""
    assert batch_limit("hubspot") == 100


def test_what_could_not_be_read_is_not_taken_for_a_person_s(answering):
    """A leaver whose values HubSpot refuses to tell fails, and is cleared the next time; its neighbour is cleared."""
    rows = [
        Row(n, name, f"{name}@x.org", "remove", {"city": "", "tier": ""}, str(n), guards={"city": ["Oslo"]})
        for n, name in enumerate(("ann", "bob"))
    ]
    there = {"results": [{"id": str(n), "properties": {}} for n in range(2)]}
    by_address = {"results": [{"id": str(n), "properties": {"email": row.id}} for n, row in enumerate(rows)]}
    hubspot, asked = answering(
        (200, there),
        (200, by_address),
        (409, {"category": "CONFLICT"}),
        (409, {"category": "CONFLICT"}),
        (200, {"results": [{"id": "1", "properties": {"city": "Oslo"}}]}),
        (200, {"results": [_result(0)]}),
    )
    answers = _send(hubspot, rows)
    assert [(answers[n].status, answers[n].code, answers[n].kept) for n in range(2)] == [
        ("failed", "CONFLICT", ()),
        ("removed", "", ()),
    ]
    written = [each["id"] for path, body in asked if path.endswith("/update") for each in body["inputs"]]
    assert written == ["1"]
