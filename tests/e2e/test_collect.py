"""Companies' own SDKs against a running stack: what was answered 200 is in the table once, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from tests.support import node_clients
from tests.support.browser_page import browser_page
from tests.support.running_stack import count, run, status_here, until, up
from tests.support.steady_front import Front

pytestmark = pytest.mark.stack
# Of each SDK, which sends them in batches; fewer are quicker to try: COLLECT_EVENTS=2000.
EVENTS = int(os.environ.get("COLLECT_EVENTS", "10000"))
SINGLE_EVENTS = 300  # of the browser's where it sends each by itself, as it does unless it is told otherwise
VISITORS = (
    10  # who send them from browsers: the SDK for these takes some hundredths of a second for each event
)
BATCH = 100  # the most that Segment's for Python sends at once
SERVERS = ("segment-python", "rudder-python", "segment-node", "rudder-node")
BROWSERS = ("browser", "browser-batches")
CLIENTS = (*SERVERS, *BROWSERS)
COUNTS = dict.fromkeys(CLIENTS, EVENTS) | {"browser": SINGLE_EVENTS}
# Requests that get through before the kill: half of them.
BEFORE = dict.fromkeys(CLIENTS, EVENTS // BATCH // 2) | {"browser": SINGLE_EVENTS // 2}
ROWS = """
    select message_id, type, coalesce(event, name) as name, user_id, coalesce(properties, traits)->>'number' as number,
        original_timestamp, sent_at, received_at, timestamp
    from raw.events
"""
MILLISECOND = timedelta(milliseconds=1)
# What this machine cannot run.
MISSING = (
    set(CLIENTS[2:])
    if node_clients.node() is None
    else set(BROWSERS)
    if node_clients.chromium() is None
    else set()
)
PATIENCE = 900  # seconds until all have sent all, on a machine that others use

EACH = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in MISSING, reason="needs Node, the browser's Chromium, too: make browser"
        ),
    )
    for name in CLIENTS
]


@dataclass
class Sent:
    """What a client was answered 200 for, by message id, and how often it was refused meanwhile."""

    events: dict[str, dict[str, Any]]
    refused: int


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("door") / "lake"


def asked(data, query):
    return json.loads(run("sql", "--json", "--data", data, query))


def books(data):
    return status_here(data)["ingest"]


@contextmanager
def python_client(kind: Any, key: str, name: str, url: str) -> Iterator[None]:
    """Let one of the Python SDKs send its events; at the end it has sent all."""
    client = kind.Client(
        key, host=url, gzip=True, max_queue_size=EVENTS + 1, max_retries=12, timeout=60, upload_size=BATCH,
        upload_interval=0.2,
    )  # fmt: skip
    client.identify(f"{name}-0", {"number": 0, "plan": "基本"})
    for number in range(1, EVENTS):
        client.track(f"{name}-{number % 50}", "Viewed", {"number": number, "price": 1.5})
    yield
    client.shutdown()


@contextmanager
def all_clients(fronts: dict[str, Front], key: str, folder: Path) -> Iterator[None]:
    """Let all clients send while the block runs; it ends when each has sent all."""
    with ExitStack() as steps:
        if "segment-node" in fronts:
            addresses = {"segment": fronts["segment-node"].url, "rudder": fronts["rudder-node"].url}
            arguments = {"key": key, "events": EVENTS, "batch": BATCH, **addresses}
            steps.enter_context(node_clients.running("servers.cjs", arguments, folder / "servers.log"))
        if "browser" in fronts:
            pages = [
                {
                    "address": steps.enter_context(browser_page(key, fronts[name].url, batch=batch)),
                    "events": COUNTS[name],
                    "visitors": visitors,
                }
                for name, batch, visitors in (("browser", 1, 1), ("browser-batches", BATCH, VISITORS))
            ]
            arguments = {"chromium": node_clients.chromium(), "pages": pages}
            steps.enter_context(node_clients.running("sender.cjs", arguments, folder / "browser.log"))
        for name, kind in (("segment-python", segment), ("rudder-python", rudder)):
            steps.enter_context(python_client(kind, key, name, fronts[name].url))
        yield
        for name, front in fronts.items():
            until(lambda name=name, front=front: len(front.events()) >= COUNTS[name], PATIENCE, pause=0.5)


@pytest.fixture(scope="module")
def sent(data) -> Iterator[dict[str, Sent]]:
    """All SDKs send at once while the stack is killed, and started again; then it has loaded everything."""
    fronts = {name: Front(data, before=BEFORE[name]) for name in CLIENTS if name not in MISSING}
    with ExitStack() as steps:
        for front in fronts.values():
            steps.callback(front.stop)
        with ExitStack() as sending:
            with up(data) as process:
                key = json.loads((data / "stack.json").read_text())["secrets"]["write_key"]
                sending.enter_context(all_clients(fronts, key, data.parent))
                for name, front in fronts.items():
                    until(lambda name=name, front=front: len(front.taken) >= min(2, BEFORE[name]), PATIENCE)
                process.send_signal(signal.SIGKILL)
                process.wait(30)
            for front in fronts.values():
                front.outage.set()
            steps.enter_context(up(data))
            for front in fronts.values():
                front.back.set()
        answered = {name: Sent(front.events(), front.refused) for name, front in fronts.items()}
        events = sum(len(one.events) for one in answered.values())
        until(lambda: (now := books(data))["loaded"] >= events and not now["in_flight"], PATIENCE, pause=2)
        yield answered


@pytest.fixture(scope="module")
def rows(sent, data) -> dict[str, list[dict[str, Any]]]:
    """The rows of `raw.events` by message id."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in asked(data, ROWS):
        found.setdefault(row["message_id"], []).append(row)
    return found


@pytest.mark.parametrize("client", EACH)
def test_no_event_that_was_answered_is_lost_or_doubled(client, sent, rows):
    """Whatever was answered 200, before a kill or after it, is one row, of the type and name that it was sent as."""
    events = sent[client].events
    assert sent[client].refused > 0  # it was under way when the stack was gone
    assert len(events) == COUNTS[client]
    found = {message_id: rows.get(message_id, []) for message_id in events}
    assert [message_id for message_id, those in found.items() if len(those) != 1] == []
    for message_id, event in events.items():
        [row] = found[message_id]
        named = (event["type"], event.get("event", event.get("name")), event.get("userId"))
        assert (row["type"], row["name"], row["user_id"]) == named
    numbers = {int(those[0]["number"]) for those in found.values() if those[0]["number"] is not None}
    assert numbers >= set(range(5, COUNTS[client]))  # an alias, say, has none


@pytest.mark.parametrize("client", EACH)
def test_times_are_those_of_the_event(client, sent, rows):
    """`timestamp` is when it happened by our clock: received, less what passed until it was sent, by the sender's."""
    for message_id, event in sent[client].events.items():
        [row] = rows[message_id]
        said = event.get("originalTimestamp") or event["timestamp"]
        happened, sent_at, received_at, timestamp = (
            datetime.fromisoformat(row[name])
            for name in ("original_timestamp", "sent_at", "received_at", "timestamp")
        )
        assert abs(happened - datetime.fromisoformat(said)) < MILLISECOND
        assert abs(timestamp - (received_at - (sent_at - happened))) < MILLISECOND
        assert (
            happened <= sent_at <= received_at + MILLISECOND <= datetime.now(UTC)
        )  # one clock here, theirs and ours


def test_the_books_balance_after_a_kill(sent, data):
    """What was sent twice is a duplicate, and nothing was set aside."""
    now = books(data)
    assert (now["balanced"], now["quarantined"]) == (True, 0)
    assert now["loaded"] == sum(COUNTS[client] for client in sent)


def test_an_event_is_in_the_table_within_seconds(tmp_path):
    """From the browser's call to the row that is asked for."""
    data = tmp_path / "lake"
    with up(data):
        info = json.loads((data / "stack.json").read_text())
        url = f"{info['endpoints']['http']}/v1/p"
        took = []
        for number in range(5):
            body = {
                "writeKey": info["secrets"]["write_key"],
                "anonymousId": "a",
                "messageId": f"p{number}",
                "name": "P",
            }
            began = time.monotonic()
            assert (
                httpx.post(
                    url, content=json.dumps(body), headers={"content-type": "text/plain"}, timeout=60
                ).status_code
                == 200
            )
            until(lambda number=number: count(data, "raw.events", f"message_id = 'p{number}'"), 60)
            took.append(time.monotonic() - began)
    assert sorted(took)[2] < 30, took
