"""Requests to HubSpot are repeated while that may help, and no longer than their deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import stamina

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import NotSent, hubspot_api
from lakehouse.outbound.destinations.hubspot_api import (
    Account,
    Api,
    Refused,
    Reply,
    _AskAgain,
    _Patience,
    _seconds,
)

ACCOUNT = Account("http://hubspot.test/", "pat-secret", "lakehouse/hubspot")
BODY = {"inputs": [{"id": "a@x.org", "properties": {"tier": "gold"}}]}


@pytest.fixture
def api(monkeypatch):
    """Make an API that answers these responses in turn; give it and the requests that it got."""

    def make(*responses: httpx.Response, clock=lambda: 0.0) -> tuple[Api, list[httpx.Request]]:
        waiting, requests = list(responses), []

        def answer(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return waiting.pop(0)

        client = httpx.Client(base_url="http://hubspot.test", transport=httpx.MockTransport(answer))
        monkeypatch.setattr(hubspot_api, "http_client", lambda _: client)
        return Api(ACCOUNT, clock), requests

    return make


@pytest.mark.parametrize(
    ("errors", "decisions"),
    [
        ([httpx.ConnectError("x")] * 3, [True, True, True]),
        ([_AskAgain("busy")] * 2, [True, True]),
        ([_AskAgain("busy", 3.0), _AskAgain("busy", 4.0), _AskAgain("busy", 4.0)], [3.0, 4.0, False]),
        ([_AskAgain("busy", 11.0)], [False]),
        ([Refused("CONFLICT")], [False]),
        ([ValueError()], [False]),
    ],
)
def test_a_request_is_repeated_while_patience_lasts(errors, decisions):
    """What HubSpot asks to wait adds up; a refusal is no reason to ask again."""
    patience = _Patience()
    assert [patience(error) for error in errors] == decisions


def test_the_token_travels_in_the_header_and_is_shown_nowhere(api):
    """Neither in the account's text nor in an error."""
    made, requests = api(httpx.Response(401, json={"message": "pat-secret"}))
    with pytest.raises(Terminal, match="lakehouse/hubspot") as caught:
        made.post("/batch/upsert", BODY, deadline=1.0)
    assert requests[0].headers["Authorization"] == "Bearer pat-secret"
    assert requests[0].url.path == "/crm/v3/objects/contacts/batch/upsert"
    assert "pat-secret" not in f"{ACCOUNT}{caught.value}"


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (httpx.Response(409, json={"category": "CONFLICT"}), "CONFLICT"),
        (httpx.Response(400, json={"category": "a@x.org is wrong"}), "HTTP_400"),
        (httpx.Response(413, text="<html>"), "HTTP_413"),
    ],
)
def test_a_refused_batch_says_why_by_a_code(api, response, code):
    """Never by a text that could quote a person."""
    made, _ = api(response)
    with pytest.raises(Refused) as caught:
        made.post("/batch/upsert", BODY, deadline=1.0)
    assert caught.value.code == code


def test_after_its_deadline_nothing_is_sent(api):
    """The rest of the chunk is for the next attempt."""
    made, requests = api(clock=lambda: 2.0)
    with pytest.raises(Transient, match="too slow"):
        made.post("/batch/upsert", BODY, deadline=1.0)
    assert requests == []


@pytest.mark.parametrize(
    ("first", "after_lost"),
    [
        (httpx.Response(503), True),
        (httpx.Response(502, text="<html>Bad gateway"), True),
        (httpx.Response(429), False),
        (httpx.Response(423), False),
        (httpx.Response(408), True),
        (httpx.Response(200, text="<html>"), True),
    ],
)
def test_trouble_that_passes_is_waited_out(api, first, after_lost):
    """The answer that comes in the end counts, and says whether an earlier try may have been carried out."""
    made, requests = api(first, httpx.Response(200, json=[]))
    with stamina.set_testing(True, attempts=5):
        assert made.post("/batch/read", BODY, deadline=1.0) == Reply({}, after_lost)
    assert len(requests) == 2


def test_a_refusal_says_whether_an_earlier_try_may_have_been_carried_out(api):
    """Written, its answer lost, and refused the second time: nobody knows."""
    made, _ = api(httpx.Response(500), httpx.Response(409, json={"category": "CONFLICT"}))
    with stamina.set_testing(True, attempts=5), pytest.raises(Refused) as caught:
        made.post("/batch/upsert", BODY, deadline=1.0)
    assert caught.value.after_lost


@pytest.mark.parametrize(("statuses", "error"), [((429, 429), NotSent), ((429, 500), Transient)])
def test_what_never_left_is_told_apart(api, statuses, error):
    """Only 429: nothing was written, and the chunk may go again whatever the destination."""
    made, _ = api(*(httpx.Response(status) for status in statuses))
    with stamina.set_testing(True, attempts=2), pytest.raises(Transient) as caught:
        made.post("/batch/upsert", BODY, deadline=1.0)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("-3", 0.0), ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0), ("soon", None), (None, None)],
)
def test_retry_after_is_a_number_or_a_date(header, seconds):
    """A date that is past is no wait."""
    assert _seconds(header) == seconds


def test_retry_after_may_name_a_date_to_come():
    """Half a minute from now."""
    text = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 <= _seconds(text) <= 30
