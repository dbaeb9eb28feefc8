"""The HTTP API on a laptop: requests become API Gateway's payload 2.0, answers become responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from lakehouse import telemetry
from lakehouse.local.runtime.logs import reason
from lakehouse.local.runtime.sandbox import ACCOUNT, TimedOut
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lakehouse.local.wiring.resources import Route

    Invoke = Callable[[str, Any], Any]

_LIMIT = 6 << 20  # bytes of a synchronous invocation's payload
_TEXT = re.compile(r"text/|application/(json|javascript|xml)\b|[^;]*\+(json|xml)\b", re.IGNORECASE)
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "date", "server"})


@dataclass(frozen=True)
class Request:
    """An HTTP request: `target` is path and query as sent, header names in any case."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def message(cls, status: int, text: str) -> Response:
        """Return an error as API Gateway words it."""
        return cls(status, json.dumps({"message": text}).encode(), (("Content-Type", "application/json"),))


def match(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and its path parameters, URL-decoded; None if no route fits.

    A route's fixed path wins over `{parameters}`, these over a greedy `{proxy+}`, a method over ANY.
    """
    fitting = []
    for route in routes:
        pattern = "".join(_as_pattern(part) for part in re.split(r"(\{[^}]+\})", route.path))
        found = re.fullmatch(pattern, path)
        if found is not None and route.method in {method, "ANY"}:
            rank = ("+}" in route.path, route.path.count("{"), route.method == "ANY")
            fitting.append((rank, route, {name: unquote(value) for name, value in found.groupdict().items()}))
    if not fitting:
        return None
    _, route, parameters = min(fitting, key=lambda fit: fit[0])
    return route, parameters


def _as_pattern(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}")
    return f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


def payload(request: Request, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the event that API Gateway sends to the function for a request."""
    path, _, query = request.target.partition("?")
    headers = _joined((name.lower(), value) for name, value in request.headers)
    # API Gateway says how it was called; a signature over the URL needs to know.
    headers.setdefault("x-forwarded-proto", "http")
    cookies = headers.pop("cookie", "")
    body, encoded = _as_text(request.body, headers)
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{route.method} {route.path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid4()),
            "routeKey": f"{route.method} {route.path}",
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": encoded,
    }
    if cookies:
        event["cookies"] = [c.strip() for c in cookies.replace(",", ";").split(";") if c.strip()]
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = parameters
    if request.body:
        event["body"] = body
    return event


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(body: bytes, headers: dict[str, str]) -> tuple[str, bool]:
    """Return a body as it stands in the event, and whether that is base64."""
    if _TEXT.match(headers.get("content-type", "")) and "content-encoding" not in headers:
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:  # it says text and is not: bytes are bytes
            pass
    return base64.b64encode(body).decode("ascii"), bool(body)


def response(answer: Any) -> Response:
    """Return what API Gateway makes of a function's answer: without a statusCode it is the body itself."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer if isinstance(answer, str) else json.dumps(answer)
        return Response(200, body.encode(), (("Content-Type", "application/json"),))
    headers = {str(k): str(v) for k, v in (answer.get("headers") or {}).items()}
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain;charset=UTF-8"
    sent = [(name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP]
    sent += [("Set-Cookie", str(cookie)) for cookie in answer.get("cookies") or ()]
    content = answer.get("body") or ""
    text = content if isinstance(content, str) else json.dumps(content)
    sent_body = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
    return Response(int(answer["statusCode"]), sent_body, tuple(sent))


def answer(request: Request, routes: Iterable[Route], invoke: Invoke) -> Response:
    """Answer one request: 404 without a route, 413 when too long, 500 when the function raised."""
    found = match(routes, request.method, request.target.partition("?")[0])
    if found is None:
        return Response.message(404, "Not Found")
    route, parameters = found
    event = payload(request, route, parameters)
    if len(event.get("body", "")) > _LIMIT:
        return Response.message(413, "Request Entity Too Large")
    try:
        return response(invoke(route.function, event))
    except TimedOut:
        return Response.message(503, "Service Unavailable")
    except Exception as error:  # noqa: BLE001 - whatever the handler raised is a 500, and told in the log
        telemetry.failed("a request failed", error, function=route.function, reason=reason(error))
        return Response.message(500, "Internal Server Error")


class HttpFront:
    """The server. `start` returns its URL."""

    def __init__(self, routes: Sequence[Route], invoke: Invoke) -> None:
        self._routes = tuple(routes)
        self._invoke = invoke
        self._server: LoopbackServer | None = None

    def start(self, port: int = 0) -> str:
        """Answer requests from now on."""
        self._server = LoopbackServer(_handler(self._routes, self._invoke), port)
        self._server.start("http-front")
        return self._server.url.rstrip("/")

    def stop(self) -> None:
        """Answer no more. Stopping twice is fine."""
        if self._server is not None:
            self._server.stop()
            self._server = None


def _handler(routes: Sequence[Route], invoke: Invoke) -> type[QuietHandler]:
    class Front(QuietHandler):
        def answer(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not length.isdecimal():
                self.close_connection = True
                self._send(Response.message(411, "Length Required"))
            elif int(length) > _LIMIT:
                self._read_away(int(length))
                self._send(Response.message(413, "Request Entity Too Large"))
            else:
                body = self.rfile.read(int(length))
                source_ip = str(self.client_address[0])
                request = Request(self.command, self.path, self.headers.items(), body, source_ip)
                self._send(answer(request, routes, invoke))

        def _read_away(self, length: int) -> None:
            """Read what is too long, as far as is decent: a client hears us only when it has sent it."""
            self.close_connection = True
            for _ in range(min(length, 16 * _LIMIT) >> 16):
                self.rfile.read(1 << 16)

        def _send(self, sent: Response) -> None:
            self.reply(sent.status, sent.body, sent.headers)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815

    return Front
