"""An address that stays while the stack behind it goes and comes again, as a domain's does; and what it was sent."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import httpx

from lakehouse.local.attachment import attach
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler

PATIENCE = 120  # seconds
METRICS = "/v1/m"  # what the browser's SDK says of itself, which is no event
_OF_A_CONNECTION = {
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "date",
    "server",
}


class Front:
    """Passes requests on. `before` bodies go through until `outage`; then 503, a few times, until the stack is back.

    So each client is in the middle of its events when the stack is killed, however fast it or the machine is.
    """

    def __init__(self, data: Path, before: int) -> None:
        self.data = data
        self.taken: list[bytes] = []  # bodies that were answered 200
        self.refused = 0
        self._read = 0  # bodies of `taken`
        self._events: dict[str, dict[str, Any]] = {}
        self.outage = threading.Event()
        self.back = threading.Event()
        self._before = before
        self._passed = 0
        self._counting = threading.Lock()
        self._client = httpx.Client(timeout=PATIENCE)
        self._server = LoopbackServer(self._handler(), 0)
        self._server.start("front")
        self.url = self._server.url.rstrip("/")

    def _handler(self) -> type[QuietHandler]:
        front = self

        class Handler(QuietHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if self.command == "POST" and self.path != METRICS:
                    front.hold()
                found = front.forward(self.command, self.path, _passed_on(dict(self.headers)), body)
                if found is None:
                    self.reply(503, b"{}", ())
                else:
                    self.reply(
                        found.status_code, found.content, tuple(_passed_on(dict(found.headers)).items())
                    )

            do_GET = do_POST = do_OPTIONS = answer  # noqa: N815

        return Handler

    def hold(self) -> None:
        """Wait until a request may go on, or be refused."""
        with self._counting:
            self._passed += 1
            waits = self._passed > self._before
        if waits:
            self.outage.wait(PATIENCE)
        if self.refused >= 3:
            self.back.wait(PATIENCE)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | None:
        """Return what the stack answers, None where there is none, or it ended meanwhile."""
        info = attach(self.data)
        try:
            url = f"{info.endpoints['http']}{path}"
            answer = self._client.request(method, url, content=body, headers=headers)
        except (httpx.HTTPError, AttributeError, KeyError):  # nobody is there
            self.refused += 1
            return None
        if method == "POST" and path != METRICS and answer.status_code == 200:
            self.taken.append(body)
        return answer

    def events(self) -> dict[str, dict[str, Any]]:
        """Return the events whose request was answered 200, by their ids; each body is read once."""
        while self._read < len(self.taken):
            body = self.taken[self._read]
            said = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
            self._events |= {event["messageId"]: event for event in said.get("batch", [said])}
            self._read += 1
        return self._events

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.stop()
        self._client.close()


def _passed_on(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_A_CONNECTION}
