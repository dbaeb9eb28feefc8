"""What HTTP clients and a browser really send to the front door, byte by byte, and what a page says as it closes."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
import socket
import time
from urllib.parse import urlsplit

import pytest

from lakehouse import objects, settings
from lakehouse.landing import collect as door
from lakehouse.landing.write_keys import RateLimits
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler
from tests.support import node_clients
from tests.support.front_door import front_door
from tests.support.running_stack import until

KEY = f"Authorization: Basic {base64.b64encode(b'key-new:').decode()}\r\n".encode()
EVENT = json.dumps({"userId": "u", "event": "E", "messageId": "m"}).encode()
PACKED = gzip.compress(EVENT)
SILENCE = 5.0  # seconds for which a connection may say nothing, instead of a minute


@pytest.fixture
def url(tmp_path, monkeypatch):
    """The address of a front door that waits for nobody for long."""
    monkeypatch.setattr(door, "limits", RateLimits())
    monkeypatch.setattr(QuietHandler, "timeout", SILENCE)
    with front_door(monkeypatch, tmp_path) as address:
        yield address


def stored():
    """Return the bodies that are durable."""
    bucket = settings.current().ops_bucket
    kept = [objects.get(bucket, f"collected/{key}") for key in objects.list_keys(bucket, "collected/")]
    return [json.loads(line)["body"] for line in kept if line is not None]


def conversation(url, *sent, half=False):
    """Send bytes on one connection; return the status of each answer until it is closed, or no more is asked for."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        for part in sent:
            connection.sendall(part)
        if half:
            connection.shutdown(socket.SHUT_WR)
        found = b""
        while part := connection.recv(65_536):
            found += part
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", found)]


def post(body, *fields, version=b"1.1", target=b"/v1/track", last=True):
    """Return a request as bytes; `fields` without a length, which is that of the body where none of them says it."""
    length = (
        b""
        if any(b"ength" in field or b"ncoding: ch" in field for field in fields)
        else b"Content-Length: %d\r\n"
    )
    head = b"POST %s HTTP/%s\r\nHost: x\r\n%s" % (target, version, KEY)
    closing = b"Connection: close\r\n" if last else b""
    return head + (length % len(body) if length else b"") + b"".join(fields) + closing + b"\r\n" + body


def chunked(body, size=7):
    """Return a body in chunks."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CHUNKS = b"Transfer-Encoding: chunked\r\n"
GZIP = b"Content-Encoding: gzip\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        post(EVENT, JSON),
        post(EVENT),
        post(EVENT, b"Content-Type: text/plain;charset=UTF-8\r\n"),
        post(EVENT, b"content-length: %d\r\n" % len(EVENT)),
        post(EVENT, JSON, version=b"1.0"),
        post(EVENT, b"Expect: 100-continue\r\n"),
        post(chunked(EVENT), JSON, CHUNKS),
        post(chunked(PACKED), JSON, GZIP, CHUNKS),
        post(PACKED, JSON),
        post(PACKED, JSON, GZIP),
        post(EVENT, target=b"/v1/track?x=1&y"),
        post(EVENT, b"X-Forwarded-For: 10.0.0.1, ::1\r\nX-Forwarded-For: garbage\r\nForwarded: for=_x\r\n"),
        post(EVENT, b"Cookie: a=1\r\nCookie: b=2\r\n"),
    ],
    ids=["json", "no type", "beacon", "lower case", "HTTP/1.0", "expect", "chunks", "gzip in chunks",
         "gzip without a header", "gzip", "query", "forwarded", "cookies"],
)  # fmt: skip
def test_a_request_is_taken_however_it_is_worded(url, sent):
    """Telephones send chunks, pages text, curl waits for a word before it sends much."""
    assert [status for status in conversation(url, sent) if status != 100] == [200]
    assert stored() == [json.loads(EVENT)]


@pytest.mark.parametrize("pieces", [1, 3, 99])
@pytest.mark.parametrize("encoding", ["gzip", " GZIP", "x-gzip", "identity", ""])
def test_gzip_is_known_by_its_header_or_by_itself(url, pieces, encoding):
    """A proxy in between may lose the header; and a gzip may have several members (RFC 1952)."""
    cuts = [len(EVENT) * number // pieces for number in range(pieces + 1)]
    body = b"".join(gzip.compress(EVENT[start:end]) for start, end in itertools.pairwise(cuts))
    assert conversation(url, post(body, b"Content-Encoding: %s\r\n" % encoding.encode())) == [200]
    assert stored() == [json.loads(EVENT)]


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"") * 20_000,
        gzip.compress(b" " * 300_000) * 2,
        PACKED + gzip.compress(b" ")[:-4],
        b"\x1f\x8b",
    ],
    ids=["many", "large", "cut off", "head"],
)
def test_members_of_a_gzip_are_counted_together(url, body):
    """Thousands of empty ones cost no time, and what comes out has one limit."""
    began = time.process_time()
    assert conversation(url, post(body)) == [400]
    assert time.process_time() - began < 1
    assert stored() == []


def test_several_requests_on_one_connection_are_several(url):
    """Also those that are sent before the first one is answered."""
    requests = [post(EVENT, last=False), post(chunked(EVENT), CHUNKS, last=False), post(b"{", last=True)]
    assert conversation(url, b"".join(requests)) == [200, 200, 400]
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (post(EVENT + b" " * 90, b"Content-Length: 999\r\n"), []),
        (post(chunked(EVENT)[:-5], CHUNKS), []),
        (post(EVENT, b"Content-Length: x\r\n"), [411]),
        (post(chunked(EVENT), CHUNKS, b"Content-Length: 5\r\n"), [400]),
        (post(EVENT, target=b"/v1/track/"), [404]),
        (post(EVENT, target=b"/e/?ip=1"), [404]),
        (post(EVENT, target=b"/com.snowplowanalytics.snowplow/tp2"), [404]),
        (post(EVENT, target=b"/track?verbose=1"), [404]),
        (post(EVENT, b"X: " + b"y" * 11_000 + b"\r\n"), [431]),
        (post(EVENT, b"Content-Encoding: br\r\n"), [400]),
        (post(EVENT, b"Content-Encoding: deflate\r\n"), [400]),
        (b"HEAD /v1/track HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [404]),
    ],
    ids=["cut off", "chunks cut off", "no length", "two lengths", "slash behind", "PostHog", "Snowplow",
         "Mixpanel", "headers", "br", "deflate", "HEAD"],
)  # fmt: skip
def test_what_is_none_of_ours_is_answered_and_stores_nothing(url, sent, statuses):
    """Or not answered, where nobody is there any more; the next one is."""
    assert conversation(url, sent, half=True) == statuses
    assert stored() == []
    assert conversation(url, post(EVENT)) == [200]


def test_who_sends_slowly_keeps_nobody_waiting(url):
    """Half a head, half a body, byte by byte: others are answered meanwhile, and these are hung up on."""
    where = urlsplit(url)
    halves = [
        b"POST /v1/track HTTP/1.1\r\nHost: x\r\n",
        post(EVENT)[:-5],
        post(chunked(EVENT), CHUNKS)[:-9],
        b"",
    ]
    slow = [socket.create_connection((where.hostname, where.port), timeout=30) for _ in range(20)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(halves[number % len(halves)])
        assert conversation(url, post(EVENT)) == [200]
        assert len(stored()) == 1
        for connection in slow:
            assert connection.recv(1) == b""  # closed, without an answer
    finally:
        for connection in slow:
            connection.close()
    assert len(stored()) == 1


@pytest.mark.skipif(node_clients.chromium() is None, reason="needs Node, npm and Chromium: make browser")
def test_the_last_words_of_a_page_arrive(url, tmp_path):
    """A beacon of text, and one of JSON, which a browser asks for first, with credentials."""

    class Page(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - the server's name for it
            self.reply(200, b"<!doctype html><title>Page</title>", (("Content-Type", "text/html"),))

    server = LoopbackServer(Page)
    server.start("page")
    beacons = [
        {"type": kind, "body": json.dumps({"writeKey": "key-new", "userId": "u", "event": kind})}
        for kind in ("text/plain", "application/json")
    ]
    told = {
        "chromium": node_clients.chromium(),
        "page": server.url,
        "url": f"{url}/v1/track",
        "beacons": beacons,
    }
    try:
        with node_clients.running("leaver.cjs", told, tmp_path / "leaver.log"):
            until(lambda: len(stored()) == len(beacons), 60)
    finally:
        server.stop()
    assert {one["event"] for one in stored()} == {"text/plain", "application/json"}
