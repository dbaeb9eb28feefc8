"""Requests to API Gateway's payload 2.0, and answers back."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from lakehouse.local.runtime.http_front import HttpFront, Request, answer, match, payload, response
from lakehouse.local.runtime.sandbox import TimedOut
from lakehouse.local.wiring.resources import Route

LAND = Route("POST", "/land/{source}/{entity}", "land")
ROUTES = [
    LAND,
    Route("ANY", "/land/{source}/{entity}", "any"),
    Route("POST", "/land/hubspot/{entity}", "hubspot"),
    Route("GET", "/files/{path+}", "files"),
]


def request(body: bytes = b"", target: str = "/land/shop/orders", **headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", target, pairs, body)


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("POST", "/land/shop/orders", "land", {"source": "shop", "entity": "orders"}),
        ("GET", "/land/shop/orders", "any", {"source": "shop", "entity": "orders"}),
        ("POST", "/land/hubspot/contacts", "hubspot", {"entity": "contacts"}),
        ("POST", "/land/%E8%AE%A2%2F/a%20b", "land", {"source": "订/", "entity": "a b"}),
        ("GET", "/files/a/b", "files", {"path": "a/b"}),
    ],
)
def test_a_request_finds_its_most_exact_route(
    method: str, path: str, function: str, parameters: dict[str, str]
) -> None:
    """Fixed parts win over parameters, a method over ANY; parameters are URL-decoded."""
    found = match(ROUTES, method, path)
    assert found is not None
    assert (found[0].function, found[1]) == (function, parameters)


@pytest.mark.parametrize("path", ["/", "/land", "/land/a/", "/land/a/b/c", "/landxa/b", "/files/"])
def test_what_fits_no_route_has_none(path: str) -> None:
    """A parameter takes one whole segment, neither none nor two."""
    assert match(ROUTES, "POST", path) is None


def test_text_stays_text_and_anything_else_is_base64() -> None:
    """By content type, and by whether it really is text."""
    cases: list[tuple[dict[str, str], bytes, bool]] = [
        ({"Content_Type": "application/json"}, b"{}", False),
        ({"Content_Type": "text/csv; charset=utf-8"}, "订单".encode(), False),
        ({"Content_Type": "application/vnd.api+json"}, b"{}", False),
        ({"Content_Type": "application/json", "Content_Encoding": "gzip"}, b"\x1f\x8b", True),
        ({"Content_Type": "text/plain"}, b"\xff\xfe", True),
        ({"Content_Type": "application/octet-stream"}, b"abc", True),
        ({}, b"abc", True),
    ]
    for headers, body, encoded in cases:
        event = payload(request(body, **headers), LAND, {})
        assert event["isBase64Encoded"] is encoded, headers
        sent = base64.b64decode(event["body"]) if encoded else event["body"].encode()
        assert sent == body


def test_the_payload_has_the_fields_of_version_2() -> None:
    """Names are lower-cased, repeated values joined by commas, cookies apart."""
    pairs = [("X-A", "1"), ("x-a", "2"), ("Cookie", "a=1; b=2"), ("User-Agent", "ua"), ("Host", "h")]
    event = payload(Request("POST", "/land/a/b?q=1&q=2&e=", pairs, b""), LAND, {"source": "a", "entity": "b"})
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /land/{source}/{entity}"
    assert (event["rawPath"], event["rawQueryString"]) == ("/land/a/b", "q=1&q=2&e=")
    assert event["queryStringParameters"] == {"q": "1,2", "e": ""}
    assert event["headers"] == {"x-a": "1,2", "user-agent": "ua", "host": "h", "x-forwarded-proto": "http"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["http"]["method"] == "POST"
    assert "body" not in event


def test_an_answer_becomes_a_response() -> None:
    """With a statusCode it is taken apart; without, it is the body, as JSON with status 200."""
    full = response(
        {
            "statusCode": 201,
            "headers": {"X": "1"},
            "cookies": ["a=1", "b=2"],
            "body": "aGk=",
            "isBase64Encoded": True,
        }
    )
    assert (full.status, full.body) == (201, b"hi")
    assert ("Set-Cookie", "b=2") in full.headers
    assert ("X", "1") in full.headers
    bare = response({"ok": True})
    assert (bare.status, json.loads(bare.body)) == (200, {"ok": True})
    assert response({"statusCode": 204}).body == b""
    assert response({"statusCode": 200, "headers": {"Content-Length": "9"}}).headers == (
        ("Content-Type", "text/plain;charset=UTF-8"),
    )


def _raise(error: Exception) -> Any:
    def invoke(_name: str, _event: Any) -> Any:
        raise error

    return invoke


@pytest.mark.parametrize(
    ("sent", "invoke", "status", "message"),
    [
        (request(target="/nowhere"), None, 404, "Not Found"),
        (request(b"x" * (5 << 20)), None, 413, "Request Entity Too Large"),
        (request(), _raise(ValueError("secret")), 500, "Internal Server Error"),
        (request(), _raise(TimedOut("late")), 503, "Service Unavailable"),
        (request(), lambda *_: {"statusCode": "many"}, 500, "Internal Server Error"),
    ],
)
def test_errors_are_worded_as_api_gateways(sent: Request, invoke: Any, status: int, message: str) -> None:
    """Nothing of what went wrong inside reaches the caller; base64 counts towards Lambda's 6 MB."""
    answered = answer(sent, ROUTES, invoke)
    assert (answered.status, json.loads(answered.body)) == (status, {"message": message})


def test_headers_have_the_room_that_api_gateway_gives_them() -> None:
    """Request line and values count, 10,240 bytes together; names do not. A pixel's event stands in the address."""
    line = len("POST /land/shop/orders HTTP/1.1")
    room = 10_240 - line

    def status(target: str = "/land/shop/orders", **headers: str) -> int:
        return answer(request(b"{}", target, **headers), ROUTES, lambda *_: {"statusCode": 204}).status

    assert status(X="x" * (room - 2), **{"Y" * 50: "yy"}) == 204
    assert status(X="x" * (room - 2), Y="yyy") == 431
    assert status(f"/land/shop/orders?data={'x' * (room - 6)}") == 204
    assert status(f"/land/shop/orders?data={'x' * (room - 5)}") == 431


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "ANYTHING", "DELETE"])
def test_a_method_that_no_route_has_is_not_found(method: str) -> None:
    """As of API Gateway; a 501 would be an error of ours, and sent again."""
    front = HttpFront([], lambda *_: None)
    url = front.start()
    try:
        found = httpx.request(method, f"{url}/v1/track", content=b"{}")
    finally:
        front.stop()
    assert (found.status_code, found.json()) == (404, {"message": "Not Found"})
