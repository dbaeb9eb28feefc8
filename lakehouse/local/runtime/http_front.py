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
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from lakehouse import telemetry
from lakehouse.local.runtime.logs import reason
from lakehouse.local.runtime.request_body import NoBody, read_body
from lakehouse.local.runtime.sandbox import ACCOUNT, TimedOut
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler
from lakehouse.policy import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lakehouse.local.wiring.resources import Route

    Invoke = Callable[[str, Any], Any]
    Headers = tuple[tuple[str, str], ...]

MAX_PAYLOAD_BYTES: Final = 6 * MIB  # Lambda's limit of a synchronous invocation
# API Gateway's limit of a request line and the values of its headers, together; it cannot be raised.
MAX_HEADER_BYTES: Final = 10_240
_TEXT = re.compile(r"text/|application/(json|javascript|xml)\b|[^;]*\+(json|xml)\b", re.IGNORECASE)
# The server sets these itself, whatever a function answers.
_SERVER_HEADERS = frozenset({"connection", "content-length", "transfer-encoding", "date", "server"})
_JSON_TYPE = ("Content-Type", "application/json")


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
    headers: Headers

    @classmethod
    def message(cls, status: int, text: str) -> Response:
        """Return an error as API Gateway words it."""
        return cls(status, json.dumps({"message": text}).encode(), (_JSON_TYPE,))


def match(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and its path parameters, URL-decoded; None if no route fits.

    A route's fixed path wins over `{parameters}`, these over a greedy `{proxy+}`, a method over ANY.
    """
    candidates: list[tuple[tuple[bool, int, bool], Route, dict[str, str]]] = []
    for route in routes:
        if route.method not in {method, "ANY"}:
            continue
        path_match = re.fullmatch(_path_pattern(route.path), path)
        if path_match is None:
            continue
        parameters = {name: unquote(value) for name, value in path_match.groupdict().items()}
        rank = ("+}" in route.path, route.path.count("{"), route.method == "ANY")
        candidates.append((rank, route, parameters))
    if not candidates:
        return None
    _, best_route, best_parameters = min(candidates, key=lambda candidate: candidate[0])
    return best_route, best_parameters


def _path_pattern(path: str) -> str:
    """Return the regular expression of a route's path: `{name}` is one segment, `{name+}` one or more."""
    return "".join(_segment_pattern(segment) for segment in re.split(r"(\{[^}]+\})", path))


def _segment_pattern(segment: str) -> str:
    if not segment.startswith("{"):
        return re.escape(segment)
    name = segment.strip("{}")
    return f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


def payload(request: Request, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the event that API Gateway sends to the function for a request."""
    path, _, query = request.target.partition("?")
    headers = _joined((name.lower(), value) for name, value in request.headers)
    # API Gateway says how it was called; a signature over the URL needs to know.
    headers.setdefault("x-forwarded-proto", "http")
    cookies = headers.pop("cookie", "")
    body, is_base64 = _body_text(request.body, headers)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{route.method} {route.path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _request_context(request, route, path, headers),
        "isBase64Encoded": is_base64,
    }
    if cookies:
        event["cookies"] = _cookie_list(cookies)
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = parameters
    if request.body:
        event["body"] = body
    return event


def _request_context(request: Request, route: Route, path: str, headers: dict[str, str]) -> dict[str, Any]:
    now = time.time()
    return {
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
    }


def _cookie_list(header: str) -> list[str]:
    """Return the cookies of a Cookie header; several such headers were joined by commas."""
    cookies = (cookie.strip() for cookie in header.replace(",", ";").split(";"))
    return [cookie for cookie in cookies if cookie]


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return names with their values, repeated ones joined by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body_text(body: bytes, headers: dict[str, str]) -> tuple[str, bool]:
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
        return Response(HTTPStatus.OK, _as_text(answer).encode(), (_JSON_TYPE,))
    headers = _response_headers(answer.get("headers") or {}, answer.get("cookies") or ())
    return Response(int(answer["statusCode"]), _response_body(answer), headers)


def _response_headers(headers: dict[Any, Any], cookies: Iterable[Any]) -> Headers:
    """Return the headers to send: text as the default type, without those that the server sets, and cookies."""
    by_name = {str(name): str(value) for name, value in headers.items()}
    lower_names = {name.lower() for name in by_name}
    if "content-type" not in lower_names:
        by_name["Content-Type"] = "text/plain;charset=UTF-8"
    kept = [(name, value) for name, value in by_name.items() if name.lower() not in _SERVER_HEADERS]
    return (*kept, *(("Set-Cookie", str(cookie)) for cookie in cookies))


def _response_body(answer: dict[str, Any]) -> bytes:
    text = _as_text(answer.get("body") or "")
    return base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def answer(request: Request, routes: Iterable[Route], invoke: Invoke) -> Response:
    """Answer one request: 404 without a route, 413 or 431 when too long, 500 when the function raised."""
    if _header_bytes(request) > MAX_HEADER_BYTES:
        too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return Response.message(too_large, too_large.phrase)
    path = request.target.partition("?")[0]
    matched = match(routes, request.method, path)
    if matched is None:
        return Response.message(HTTPStatus.NOT_FOUND, "Not Found")
    route, parameters = matched
    event = payload(request, route, parameters)
    if len(event.get("body", "")) > MAX_PAYLOAD_BYTES:
        return _too_large()
    try:
        return response(invoke(route.function, event))
    except TimedOut:
        return Response.message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
    except Exception as error:  # noqa: BLE001 - whatever the handler raised is a 500, and its cause is logged
        telemetry.failed("a request failed", error, function=route.function, reason=reason(error))
        return Response.message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")


def _header_bytes(request: Request) -> int:
    """Return the length of a request line and of the values of its headers: they are read as Latin-1."""
    request_line = f"{request.method} {request.target} HTTP/1.1"
    return len(request_line) + sum(len(value) for _, value in request.headers)


def _too_large() -> Response:
    return Response.message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")


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
            try:
                body = read_body(self.rfile, self.headers, MAX_PAYLOAD_BYTES)
            except EOFError:  # nobody is there to be answered
                self.close_connection = True
            except NoBody as refused:
                self.close_connection = True
                self._send(Response.message(refused.status, refused.status.phrase))
            else:
                source_ip = str(self.client_address[0])
                request = Request(self.command, self.path, self.headers.items(), body, source_ip)
                self._send(answer(request, routes, invoke))

        def _send(self, response: Response) -> None:
            self.reply(response.status, response.body, response.headers)

        def __getattr__(self, name: str) -> Any:
            """Answer every method: for one that no route has, that is a 404, as of API Gateway."""
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

    return Front
