"""The front door for tracked events, as Segment's HTTP API has it: a request is let in, and durable, before its 200.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/

The door looks at the key, the size, and whether the body is JSON of the right shape. It stores the request as it came,
and puts it on a queue, which may lose it: `gather` makes raw files of what waits there, and looks for what does not.
What is wrong with single events is said by ingest, which takes requests apart. SDKs drop for good what is
answered with 4xx other than 429, and send the rest again: so 4xx is for what can never be taken.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, json_text, objects, telemetry
from lakehouse.landing.collected import BATCH, CALLS, Collected
from lakehouse.landing.policy import CollectLimits, WriteKeyPolicy
from lakehouse.landing.write_keys import RateLimits, Sender, find_sender

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.settings import Settings

METRICS_CALL: Final = "m"  # on which the browser's SDK tells its maker how it does
PIXEL: Final = base64.b64decode(
    "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
)  # 1×1, transparent
_GZIP: Final = zlib.MAX_WBITS | 16
_GZIP_MAGIC: Final = b"\x1f\x8b"  # which no JSON begins with
_GZIP_NAMES: Final = frozenset({"gzip", "x-gzip"})
_PLAIN: Final = frozenset({"", "identity"})
_GZIP_MEMBERS: Final = 100  # which stand one behind the other; each costs a look at what follows it
_KEY_PARAMETER: Final = "writekey"
_URL_SAFE: Final = str.maketrans("-_ ", "+/+")  # what a query makes of a plus is a blank

limits = RateLimits()


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """A request that is not taken: the status, a code that the SDKs' makers know, and why."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


@dataclass(frozen=True)
class Request:
    """An HTTP request: `call` is the last part of its path, `headers` by their names in lower case."""

    call: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    source_ip: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What the sender is told; `body` is JSON, or an image."""

    status: int
    body: dict[str, Any] | bytes
    headers: dict[str, str]


def answer(settings: Settings, request: Request, now: datetime) -> Answer:
    """Take a request of tracked events, or say why not. Errors of our own go on: it is sent again.

    200 it is stored; 400 no JSON, of another shape or too large; 401 no such write key; 403 from a page that may
    not send; 404 no such call; 413 too large as sent; 429 too often.
    """
    try:
        if request.call != METRICS_CALL:
            _take(settings, request, now)
    except Refused as refused:
        telemetry.count("RequestsRefused")
        telemetry.info("request of events refused", code=refused.code, status=refused.status)
        problem = {"success": False, "code": refused.code, "message": refused.message}
        retry = {} if refused.retry_after is None else {"retry-after": str(refused.retry_after)}
        return Answer(refused.status, problem, _cors(request) | retry)
    telemetry.count("RequestsCollected")
    return Answer(HTTPStatus.OK, {"success": True}, _cors(request))


def answer_pixel(settings: Settings, request: Request, now: datetime) -> Answer:
    """Take the event that an image's address holds, base64 of JSON in `data`. The answer is always the image."""
    data = request.query.get("data", "").translate(_URL_SAFE).rstrip("=")
    try:
        body = base64.b64decode(data + "=" * (-len(data) % 4), validate=True)
        _take(
            settings, replace(request, body=body, query={}, headers=_without_encoding(request.headers)), now
        )
        telemetry.count("RequestsCollected")
    except (Refused, ValueError) as error:  # what is no base64, or has letters beyond ASCII
        telemetry.count("RequestsRefused")
        telemetry.info("pixel refused", code=getattr(error, "code", "not_base64"))
    return Answer(HTTPStatus.OK, PIXEL, {"content-type": "image/gif", "cache-control": "no-store"})


def answer_preflight(request: Request) -> Answer:
    """Tell a browser that pages may send here; which ones may with which key is said when they do."""
    allowed = {
        "access-control-allow-methods": "POST, GET, OPTIONS",
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "content-type"),
        "access-control-max-age": str(WriteKeyPolicy.preflight_seconds),
    }
    return Answer(HTTPStatus.NO_CONTENT, b"", _cors(request) | allowed)


def answer_browser(request: Request, key: str) -> Answer:
    """Return the settings that the browser's SDK asks for at its start: its events go to one place, which is here."""
    browser_settings = {
        "integrations": {"Segment.io": {"apiKey": key, "unbundledIntegrations": []}},
        "plan": {},
    }
    return Answer(HTTPStatus.OK, browser_settings, _cors(request))


def _cors(request: Request) -> dict[str, str]:
    """Let a page read the answer. A beacon comes with credentials, whatever it says; there are none that we look at."""
    origin = request.headers.get("origin")
    if origin is None:
        return {"access-control-allow-origin": "*", "vary": "origin"}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "vary": "origin",
    }


def _without_encoding(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-encoding"}


def _take(settings: Settings, request: Request, now: datetime) -> None:
    """Store a request, and say that it is there. Raises Refused, having stored nothing."""
    call = CALLS.get(request.call)
    if call is None:
        raise Refused(
            HTTPStatus.NOT_FOUND, "unknown_call", "no such call: /v1/track, identify, page, … or batch"
        )
    if any(name.lower() == _KEY_PARAMETER for name in request.query):
        raise Refused(
            HTTPStatus.UNAUTHORIZED, "key_in_query", "a write key in an address is logged by everybody on the way; "
            "send it by Basic authentication, or as writeKey in the body",
        )  # fmt: skip
    key = _key_of_headers(request.headers)
    sender = None if key is None else _sender(settings, key, request)  # before the body costs anything
    text = _text(request)
    body = _object(text)
    sender = sender or _sender(settings, body.get("writeKey"), request)
    _check_shape(call, body, text)
    ip = request.source_ip if '"direct"' in text else ""  # kept only where an event asks for it
    collected = Collected(request.request_id, now, sender.source, call, text, ip)
    line = collected.line()
    objects.put(settings.ops_bucket, collected.key, line.encode())
    try:
        aws.sqs().send_message(QueueUrl=settings.collect_queue_url, MessageBody=line)
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("hint lost, gather will find the request", error)


def _sender(settings: Settings, key: Any, request: Request) -> Sender:
    found = find_sender(settings, key) if isinstance(key, str) and key else None
    if found is None:
        raise Refused(
            HTTPStatus.UNAUTHORIZED, "invalid_write_key", "no such write key, or it is no longer active"
        )
    if not found.may_send_from(request.headers.get("origin")):
        raise Refused(HTTPStatus.FORBIDDEN, "origin_not_allowed", "pages of this origin may not use this key")
    if wait := limits.wait_seconds(found):
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "too many requests", ceil(wait))
    return found


def _key_of_headers(headers: Mapping[str, str]) -> str | None:
    """Return the key of Basic authentication, the name of a user without a password; None without such a header."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None  # a Bearer token goes with a writeKey in the body
    try:
        name = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:  # no base64, or no text
        return ""
    return name.partition(":")[0]


def _text(request: Request) -> str:
    """Return a body as text, unpacked."""
    body, most = request.body, CollectLimits.body_bytes
    if len(body) > most:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"the body is larger than {most:,} bytes"
        )
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in _GZIP_NAMES or (encoding in _PLAIN and body.startswith(_GZIP_MAGIC)):
        body = _unpacked(body, most)  # who stands in between may have lost the header
    elif encoding not in _PLAIN:
        raise Refused(HTTPStatus.BAD_REQUEST, "unknown_encoding", "bodies are sent plain, or with gzip")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", "the body is not UTF-8") from None


def _unpacked(body: bytes, most: int) -> bytes:
    """Return what a gzip holds, of one member or several, reading no more than may come of it."""
    plain, rest = b"", body
    for _ in range(_GZIP_MEMBERS):
        unpacking = zlib.decompressobj(_GZIP)
        try:
            plain += unpacking.decompress(rest, most + 1 - len(plain))
        except zlib.error:
            break
        if len(plain) > most:
            raise Refused(
                HTTPStatus.BAD_REQUEST, "too_large", f"the body is larger than {most:,} bytes unpacked"
            )
        rest = unpacking.unused_data
        if not rest and unpacking.eof:
            return plain
    raise Refused(
        HTTPStatus.BAD_REQUEST, "invalid_gzip", "the body is no gzip, breaks off, or more follows it"
    )


def _object(text: str) -> dict[str, Any]:
    try:
        value = json_text.parse_outer(text)  # an event may be too deep for Python: ingest sets it aside
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_json", "the body is no JSON object")
    return value


def _check_shape(call: str, body: Mapping[str, Any], text: str) -> None:
    """Raise Refused for a batch that is none, and for what is too much."""
    if call != BATCH:
        if len(text.encode()) > CollectLimits.event_bytes:
            most = CollectLimits.event_bytes
            raise Refused(HTTPStatus.BAD_REQUEST, "too_large", f"the event is larger than {most:,} bytes")
        return
    batch = body.get("batch")
    if not isinstance(batch, list):
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_batch", "the body has no array of the name batch")
    if not batch:
        raise Refused(HTTPStatus.BAD_REQUEST, "empty_batch", "the batch is empty")
    if len(batch) > CollectLimits.batch_events:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            "too_large",
            f"the batch has more than {CollectLimits.batch_events:,} events",
        )


def encoded(answered: Answer) -> dict[str, Any]:
    """Return an answer as API Gateway takes it from a function (payload format 2.0)."""
    if isinstance(answered.body, bytes):
        return {
            "statusCode": answered.status,
            "headers": answered.headers,
            "body": base64.b64encode(answered.body).decode(),
            "isBase64Encoded": True,
        }
    headers = {"content-type": "application/json"} | answered.headers
    return {"statusCode": answered.status, "headers": headers, "body": json.dumps(answered.body)}
