"""Companies' own SDKs against a running stack: what was answered 200 is in the table once, whatever is killed."""

from __future__ import annotations

import gzip
import json
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from lakehouse.local.attachment import attach
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler
from tests.support.running_stack import run, until, up

pytestmark = pytest.mark.stack
EVENTS = 2_000  # of each SDK


class Front:
    """An address that stays while the stack behind it goes and comes again, as a domain's does."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.taken: list[bytes] = []  # bodies that were answered 200
        self._server = LoopbackServer(self._handler(), 0)
        self._server.start("front")
        self.url = self._server.url.rstrip("/")

    def _handler(self) -> type[QuietHandler]:
        front = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - the server's name for it
                body = self.rfile.read(int(self.headers["Content-Length"]))
                info = attach(front.data)
                try:
                    answer = httpx.post(
                        f"{info.endpoints['http']}{self.path}",
                        content=body,
                        headers=dict(self.headers),
                        timeout=30,
                    )
                except (httpx.HTTPError, AttributeError, KeyError):  # nobody is there
                    self.reply(503, b"{}", ())
                    return
                if answer.status_code == 200:
                    front.taken.append(body)
                self.reply(answer.status_code, answer.content, (("Content-Type", "application/json"),))

        return Handler

    def events(self) -> set[str]:
        """Return the ids of the events whose request was answered 200."""
        plain = (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body for body in self.taken)
        return {event["messageId"] for body in plain for event in json.loads(body)["batch"]}

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("door") / "lake"


def asked(data, query):
    return json.loads(run("sql", "--json", "--data", data, query))


def books(data):
    return json.loads(run("status", "--json", "--data", data))["ingest"]


def test_no_event_that_was_answered_is_lost_or_doubled(data):
    """Segment's and RudderStack's Python SDKs send while the stack is killed, and started again."""
    front = Front(data)
    try:
        with up(data) as process:
            key = json.loads((data / "stack.json").read_text())["secrets"]["write_key"]
            said = {"max_retries": 12, "timeout": 30, "upload_size": 50, "upload_interval": 0.2}
            clients = {
                "segment": segment.Client(key, host=front.url, gzip=True, max_queue_size=EVENTS + 1, **said),
                "rudder": rudder.Client(key, host=front.url, max_queue_size=EVENTS + 1, **said),
            }
            began = datetime.now(UTC)
            for name, client in clients.items():
                for number in range(EVENTS):
                    client.track(f"{name}-{number % 50}", "Viewed", {"number": number, "price": 1.5})
            until(lambda: len(front.taken) > 10, 60)
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        with up(data):
            flushed = [threading.Thread(target=client.shutdown) for client in clients.values()]
            for thread in flushed:
                thread.start()
            for thread in flushed:
                thread.join(240)
            answered = (
                front.events()
            )  # an SDK that was told 503 too often drops what it has: that is its own choice
            until(
                lambda: books(data)["loaded"] >= len(answered) and not books(data)["in_flight"], 240, pause=2
            )
    finally:
        front.stop()
    rows = asked(
        data,
        "select count(*) as n, count(distinct message_id) as ids, count(distinct (user_id, properties)) as facts, "
        "min(timestamp) as first, max(timestamp) as last, count(sent_at) as sent from raw.events",
    )[0]
    assert rows["n"] == rows["ids"] == rows["facts"] == rows["sent"]
    assert len(answered) > EVENTS
    assert answered <= {row["message_id"] for row in asked(data, "select message_id from raw.events")}
    assert (
        began
        <= datetime.fromisoformat(rows["first"])
        <= datetime.fromisoformat(rows["last"])
        <= datetime.now(UTC)
    )
    assert (books(data)["balanced"], books(data)["quarantined"]) == (True, 0)


def test_an_event_is_in_the_table_within_seconds(data):
    """From the browser's call to the row that is asked for."""
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
                httpx.post(url, content=json.dumps(body), headers={"content-type": "text/plain"}).status_code
                == 200
            )
            query = f"select 1 from raw.events where message_id = 'p{number}'"
            until(lambda query=query: asked(data, query), 60)
            took.append(time.monotonic() - began)
    assert sorted(took)[2] < 30, took
