"""The shop's web server: pages, the browser's SDK as its package has it, sign-in, orders, what is known of a browser.

It answers on the loopback interface alone, under no other name (DNS rebinding), and takes JSON alone, which a page of
another origin may not send without being asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Terminal
from lakehouse.local.policy import ShopPolicy
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler
from lakehouse.local.shop.office import CURRENCY, Office, catalogue

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

_PAGES: Final = Path(__file__).parent / "pages"
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_FILES: Final = frozenset({"shop.css", "shop.js", "snippet.js", "analytics.js"})
_SDK: Final = _PAGES / "analytics.js"
_JSON: Final = "application/json"
_MILLISECONDS: Final = 1_000  # of a second


@dataclass(frozen=True)
class Answer:
    """What a browser gets: `body` is of the media type `kind`, in UTF-8."""

    status: int
    body: bytes
    kind: str = _JSON

    @classmethod
    def of(cls, value: Any, status: int = HTTPStatus.OK) -> Answer:
        """Return a value as JSON."""
        return cls(status, json.dumps(value).encode())

    @classmethod
    def refusal(cls, status: int, message: str) -> Answer:
        """Return why a request is not taken, as the page shows it."""
        return cls.of({"message": message}, status)


@dataclass(frozen=True)
class Shop:
    """What the shop answers with. `collector` is the address that events go to; `known` looks a device up."""

    collector: str
    write_key: str
    timeline: str  # the command that shows one, with CUSTOMER where the customer's id goes
    office: Office
    known: Callable[[str], dict[str, Any]]

    def get(self, target: str) -> Answer:
        """Answer a GET of a path with its query: a file, what is known, else the page, which looks at the path."""
        parts = urlsplit(target)
        name = parts.path.removeprefix("/")
        if name == "config.js":
            return Answer(HTTPStatus.OK, self._config().encode(), "text/javascript")
        if name in _FILES:
            return _file(name)
        if name == "known":
            device = parse_qs(parts.query).get("anonymousId", [""])[0]
            return Answer.of(self.known(device))
        return _file("shop.html")

    def post(self, path: str, body: bytes) -> Answer:
        """Answer a POST: somebody signs in, or buys."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            return Answer.refusal(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
        try:
            if path == "/sign-in":
                return Answer.of({"userId": self.office.sign_in(said.get("email"))})
            if path == "/orders":
                order = self.office.take_order(said.get("userId"), said.get("lines"))
                return Answer.of({"orderId": order.order_id, "cents": order.cents})
        except Terminal as error:
            return Answer.refusal(HTTPStatus.BAD_REQUEST, str(error))
        return Answer.refusal(HTTPStatus.NOT_FOUND, "no such call")

    def _config(self) -> str:
        config = {
            "collector": self.collector,
            "writeKey": self.write_key,
            "timeline": self.timeline,
            "products": catalogue(),
            "currency": CURRENCY,
            "lookMilliseconds": round(ShopPolicy.look_seconds * _MILLISECONDS),
        }
        return f"const SHOP = {json.dumps(config)};\n"


def _file(name: str) -> Answer:
    path = _PAGES / name
    return Answer(HTTPStatus.OK, path.read_bytes(), f"{_TYPES[path.suffix]}; charset=utf-8")


def check_sdk() -> None:
    """Raise Terminal where the browser's SDK is not in the pages: it is its maker's, and installed by npm."""
    if not _SDK.exists():
        raise Terminal(
            f"the browser's SDK is not there ({_SDK}): `make shop` takes it from npm, which comes with Node, and opens "
            "the shop"
        )


def start(shop: Shop) -> LoopbackServer:
    """Serve the shop from now on, on its own port (`ShopPolicy.port`) where that is free, else on any.

    On the same port a browser is the same visitor at the next start.
    """
    try:
        server = LoopbackServer(_handler(shop), ShopPolicy.port)
    except OSError:
        server = LoopbackServer(_handler(shop))
    server.start("shop")
    return server


def _handler(shop: Shop) -> type[QuietHandler]:
    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - the server's name for it
            self._send(_host_refusal(self) or _answer(lambda: shop.get(self.path)))

        def do_POST(self) -> None:  # noqa: N802 - the server's name for it
            refusal = _host_refusal(self) or _body_refusal(self)
            if refusal is not None:
                self.close_connection = True  # the body is not read
                self._send(refusal)
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send(_answer(lambda: shop.post(self.path, body)))

        def _send(self, answer: Answer) -> None:
            policy = f"default-src 'self'; connect-src 'self' {shop.collector}; img-src 'self' data:"
            headers = {
                "Content-Type": answer.kind,
                "Cache-Control": "no-store",
                "Content-Security-Policy": policy,  # the pages reach this machine alone, whatever the SDK would
            }
            self.reply(answer.status, answer.body, tuple(headers.items()))

    return Handler


def _host_refusal(request: BaseHTTPRequestHandler) -> Answer | None:
    """Return why a request is refused that came under another name than this machine's own."""
    if request.headers.get("Host", "").partition(":")[0] in {"127.0.0.1", "localhost"}:
        return None
    return Answer.refusal(HTTPStatus.FORBIDDEN, "the shop answers to its own address alone")


def _body_refusal(request: BaseHTTPRequestHandler) -> Answer | None:
    """Return why a body is not read: its length is missing or too much, or it is not said to be JSON."""
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdecimal()):
        return Answer.refusal(HTTPStatus.LENGTH_REQUIRED, "the body's length is missing")
    if int(length) > ShopPolicy.body_bytes:
        return Answer.refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != _JSON:
        return Answer.refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be {_JSON}")
    return None


def _answer(make: Callable[[], Answer]) -> Answer:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - a store that is busy, say: the page asks again
        telemetry.failed("the shop failed", error)
        what = str(error) if isinstance(error, LakehouseError) else "the shop failed: see the log"
        return Answer.refusal(HTTPStatus.SERVICE_UNAVAILABLE, what)
