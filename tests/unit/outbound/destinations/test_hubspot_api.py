"""Requests to HubSpot are repeated while that may help, and no longer than their deadline."""

from __future__ import annotations

import httpx
import pytest
import stamina

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import NotSent, hubspot_api
from lakehouse.outbound.destinations.exchange import Answered, Refused
from lakehouse.outbound.destinations.hubspot_api import Account, Api

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
        assert made.post("/batch/read", BODY, deadline=1.0) == Answered({}, after_lost)
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
