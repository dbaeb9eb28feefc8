"""A HubSpot on this machine: an HTTP server that keeps contacts and records as HubSpot's CRM API v3 does."""

from __future__ import annotations

import json
import math
import socket
import time
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import TypeAdapter, ValidationError

from lakehouse.local.hubspot.api import CONTACTS, Answer, ContactsApi, complete
from lakehouse.local.hubspot.contact_store import ContactStore
from lakehouse.local.hubspot.faults import Fault, Faults, RateLimit, error_body
from lakehouse.local.hubspot.lists_api import LISTS, ListsApi
from lakehouse.local.hubspot.records_api import KINDS, OBJECTS, PROPERTIES, PropertiesApi, RecordsApi
from lakehouse.local.policy import HttpPolicy

if TYPE_CHECKING:
    from pathlib import Path

_FAULTS = TypeAdapter(list[Fault])
# What HubSpot allows a private app: so many requests in so many seconds.
_RATE_LIMIT: Final = 190
_RATE_SECONDS: Final = 10.0
_SEARCHES_A_SECOND: Final = 5  # of an account, beside the above


class HubSpotSimulator:
    """Contacts behind HubSpot's API. `database` keeps them; `token` is the only one that opens.

    It allows `rate_limit` requests in any `rate_seconds`, and answers none before `answer_seconds`.

    Besides the API: POST /_simulator/faults takes a list of `Fault`s, DELETE forgets them, and
    GET /_simulator/state says how many requests came and how often each contact was written.
    """

    def __init__(
        self,
        database: Path,
        token: str,
        rate_limit: int = _RATE_LIMIT,
        rate_seconds: float = _RATE_SECONDS,
        answer_seconds: float = 0.0,
    ) -> None:
        self.token = token
        self.answer_seconds = answer_seconds
        self.url = ""
        self.faults = Faults()
        self.limit = RateLimit(rate_limit, rate_seconds)
        self.search_limit = RateLimit(_SEARCHES_A_SECOND, 1.0)
        self._store = ContactStore(database)
        self.api = ContactsApi(self._store)
        self.properties = PropertiesApi(self._store)
        self.records = RecordsApi(self._store, self.properties)
        self.lists = ListsApi(self._store)
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._turn = Lock()
        self._server: _Server | None = None

    def start(self, port: int = 0) -> str:
        """Serve on 127.0.0.1 (port 0: any free one) and return the URL."""
        self._server = _Server(("127.0.0.1", port), self)
        poll_seconds = (HttpPolicy.stop_poll_seconds,)
        Thread(target=self._server.serve_forever, args=poll_seconds, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self.url

    def stop(self) -> None:
        """Stop serving, hang up on everybody, and close the database."""
        if self._server is not None:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._server = None
        self._store.close()

    def state(self, every_contact: bool = False) -> dict[str, Any]:
        """Return what happened: requests by path and status, contacts, how often they were written."""
        writes = self._store.writes()
        with self._turn:
            state: dict[str, Any] = {
                "requests": sum(self._counts.values()),
                "paths": dict(self._counts),
                "statuses": {str(status): number for status, number in self._statuses.items()},
            }
        state |= {"contacts": self._store.count(), "writes": sum(writes.values())}
        state["most_writes"] = max(writes.values(), default=0)
        with self._store.batch():
            state["records"] = self.records.records.count()
        return {**state, "writes_by_email": writes} if every_contact else state

    def answer(self, request: _Request) -> tuple[Answer | None, dict[str, str]]:
        """Answer one API request; None means: hang up without a word."""
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            message = "Authentication credentials not found"
            return Answer(HTTPStatus.UNAUTHORIZED, error_body("INVALID_AUTHENTICATION", message)), {}
        admitted, headers = self.limit.admit()
        if admitted and request.path.endswith("/search"):
            admitted, _ = self.search_limit.admit()
            headers = {}  # the search says nothing of its limit
        if not admitted:
            message = "You have reached your ten_secondly_rolling limit."
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, error_body("RATE_LIMITS", message)), headers
        try:
            body = request.json()
        except ValueError:
            message = "Invalid input JSON"
            return Answer(HTTPStatus.BAD_REQUEST, error_body("VALIDATION_ERROR", message)), headers
        fault = self.faults.take(request.path, _ids(body))
        if fault is None:
            return self._route(request, body), headers
        if fault.where == "after":
            self._route(request, body)
        if fault.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(fault.retry_after))
        return _faulty(fault), headers

    def count(self, path: str, status: int) -> None:
        """Note that a request to `path` was answered with `status` (0: not at all)."""
        with self._turn:
            self._counts[path] += 1
            self._statuses[status] += 1

    def _route(self, request: _Request, body: dict[str, Any]) -> Answer:
        for below, api in ((LISTS, self.lists), (PROPERTIES, self.properties)):
            if request.path.startswith(below):
                return api.answer(request.method, unquote(request.path.removeprefix(below)), body)
        kind, slash, rest = request.path.removeprefix(OBJECTS).partition("/")
        if request.path.startswith(OBJECTS) and kind in KINDS:
            return self.records.answer(request.method, kind, f"{slash}{unquote(rest)}", body, request.query)
        if request.method == "GET" and request.path.rstrip("/") == "/crm/v3/owners":
            return Answer(HTTPStatus.OK, self.api.search.users())
        if not request.path.startswith(CONTACTS):
            message = "the simulator keeps contacts, tasks, tickets and notes only"
            return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", message))
        return self._of_contacts(request, request.path.removeprefix(CONTACTS), body)

    def _of_contacts(self, request: _Request, path: str, body: dict[str, Any]) -> Answer:
        if request.method == "POST":
            return self.api.post(path, body)
        if request.method == "GET":
            return self.api.get(unquote(path), request.query)
        message = "the simulator does not do that"
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, error_body("METHOD_NOT_ALLOWED", message))


class _Request:
    """One request with its body."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        target = urlsplit(handler.path)
        self.method = handler.command
        self.path = target.path
        self.query = dict(parse_qsl(target.query))
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    def json(self) -> dict[str, Any]:
        value = json.loads(self.body) if self.body else {}
        if not isinstance(value, dict):
            raise ValueError("a JSON object is needed")  # noqa: TRY004 - the same answer as for broken JSON
        return value


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], simulator: HubSpotSimulator) -> None:
        super().__init__(address, _Handler)
        self.simulator = simulator
        self.open: set[socket.socket] = set()

    def hang_up(self) -> None:
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        with suppress(OSError, ValueError):  # the other side, or `stop`, hung up first
            super().finish()
        self.server.open.discard(self.connection)

    def handle(self) -> None:
        with suppress(OSError, ValueError):  # likewise
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Say nothing: request lines carry e-mail addresses."""

    def _serve(self) -> None:
        began = time.monotonic()
        request = _Request(self)
        if request.path.startswith("/_simulator/"):
            self._send(self._control(request), {})
            return
        answer, headers = self.server.simulator.answer(request)
        self.server.simulator.count(request.path, answer.status if answer else 0)
        time.sleep(max(began + self.server.simulator.answer_seconds - time.monotonic(), 0.0))
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer, headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names http.server looks for

    def _control(self, request: _Request) -> Answer:
        simulator = self.server.simulator
        if (request.method, request.path) == ("GET", "/_simulator/state"):
            return Answer(HTTPStatus.OK, simulator.state(every_contact="writes" in request.query))
        if (request.method, request.path) == ("DELETE", "/_simulator/faults"):
            simulator.faults.clear()
            return Answer(HTTPStatus.NO_CONTENT)
        if (request.method, request.path) == ("POST", "/_simulator/faults"):
            return self._queue_faults(request.body)
        return Answer(HTTPStatus.NOT_FOUND, {"message": "no such control"})

    def _queue_faults(self, body: bytes) -> Answer:
        try:
            faults = _FAULTS.validate_json(body)
        except ValidationError as error:
            return Answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        for fault in faults:
            self.server.simulator.faults.add(fault)
        return Answer(HTTPStatus.OK, {"queued": len(faults)})

    def _send(self, answer: Answer, headers: dict[str, str]) -> None:
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _ids(body: dict[str, Any]) -> set[str]:
    """Return the ids that a batch's inputs name."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list):
        return set()
    return {str(item.get("id")) for item in inputs if isinstance(item, dict)}


_CATEGORIES: dict[int, str] = {HTTPStatus.TOO_MANY_REQUESTS: "RATE_LIMITS", HTTPStatus.CONFLICT: "CONFLICT"}


def _faulty(fault: Fault) -> Answer | None:
    """Return the answer that a fault asks for; None: hang up without a word."""
    if fault.drop:
        return None
    if fault.status == HTTPStatus.OK:
        return complete([], [], 0)
    category = fault.code or _CATEGORIES.get(fault.status, "SIMULATED")
    return Answer(fault.status, error_body(category, fault.message))
