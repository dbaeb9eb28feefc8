"""A signed webhook becomes a raw file of NDJSON: each element of its body a line, byte for byte as it came.

A sender that got no answer sends again, hours later perhaps. So the file's key is noted first, under the
webhook's id (HubSpot gives none: its body's hash), in the ops bucket, `landed/<source>/<entity>/<hash>.json`.
A repeated webhook finds the note, and writes the file that it names if that is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from lakehouse import json_text, objects, telemetry
from lakehouse.errors import Terminal
from lakehouse.landing.signatures import (
    BadSignature,
    Request,
    verify_google,
    verify_hubspot,
    verify_jiandaoyun,
    verify_standard,
)
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lakehouse.settings import Settings

    ReadLines = Callable[[Request], list[str]]

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_NAME_DIGITS: Final = (
    32  # of a webhook's sha-256 that its file is called by: the layout of the landing bucket
)
_ATTEMPT = re.compile(rb'"attemptNumber"\s*:\s*\d+')


class BadBody(Terminal):
    """The body is not JSON in UTF-8, or not of the shape that its route takes."""


def answer(
    settings: Settings, request: Request, now: datetime, read: ReadLines | None = None
) -> tuple[int, dict[str, Any]]:
    """Land a webhook and return what to tell its sender: a status and a JSON object.

    `read` makes lines of a request whose signature is right; without it they are the elements of its body.

    200 how many records were accepted (again the same for a repeated webhook), 400 not JSON, 401 a wrong
    signature, 404 no name of a source and an entity. Only 200 has stored anything. Other errors go on as
    they are: the sender gets 500 and tries again.
    """
    if not (_NAME.fullmatch(request.source) and _NAME.fullmatch(request.entity)):
        telemetry.count("WebhooksRefused")
        return 404, {"error": "no such source or entity: both are made of a-z, 0-9 and _"}
    try:
        accepted = land(settings, request, now, read)
    except BadSignature as error:
        telemetry.count("WebhooksRefused")
        telemetry.warn("webhook refused", reason=str(error))
        return 401, {"error": str(error)}
    except BadBody as error:
        telemetry.count("WebhooksRefused")
        return 400, {"error": str(error)}
    telemetry.count("WebhooksLanded")
    return 200, {"accepted": accepted}


def land(settings: Settings, request: Request, now: datetime, read: ReadLines | None = None) -> int:
    """Verify a webhook, then store it once; return its number of records. Raises BadSignature, BadBody."""
    identity = _verify(settings, request, now)
    lines = read(request) if read else split(request.body)
    if not lines:
        return 0
    if read is not None:  # what another body says under the same id is not there yet: no 200 without its file
        identity = f"{identity}/{hashlib.sha256(request.body).hexdigest()}"
    source_key = f"{request.source}/{request.entity}"
    name = hashlib.sha256(f"{source_key}/{identity}".encode()).hexdigest()
    proposed = {"key": f"{source_key}/{now:%Y/%m/%d/%H}/{name[:_NAME_DIGITS]}.json"}
    note = objects.put_once(
        settings.ops_bucket, f"landed/{source_key}/{name}.json", json.dumps(proposed).encode()
    )
    agreed_key = json.loads(note)["key"]  # that of whoever noted one first
    body = "".join(f"{line}\n" for line in lines).encode()
    # Whoever faces the internet reads no raw file: one that is there came of the same webhook.
    objects.put_unless_there(settings.landing_bucket, agreed_key, body, "application/x-ndjson")
    return len(lines)


def split(body: bytes) -> list[str]:
    """Return the elements of a JSON array, or the one value that the body is, each as text on one line.

    The text is the sender's own, so numbers keep their digits. Raises `BadBody`.
    """
    try:
        return json_text.elements(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadBody("the body is not JSON in UTF-8") from error


def _verify(settings: Settings, request: Request, now: datetime) -> str:
    """Return the id that this webhook has however often it is sent. Raises `BadSignature`."""
    shared = secret(settings.webhook_secret)
    if request.source == "hubspot":
        verify_hubspot(_secrets(shared, "hubspot"), request, now)
        repeatable = _ATTEMPT.sub(b"", request.body)  # HubSpot counts its attempts inside
        return hashlib.sha256(repeatable).hexdigest()
    if request.source == "jiandaoyun":
        return verify_jiandaoyun(_secrets(shared, "jiandaoyun"), request, now)
    if request.source == "google":
        return verify_google(_secrets(shared, "google"), request)
    return verify_standard(_secrets(shared, request.source, "default"), request, now)


def _secrets(shared: Mapping[str, Any], *names: str) -> list[str]:
    """Return the active secrets of the first name that has some; BadSignature when nobody has."""
    for name in names:
        secrets = shared.get(name)
        active = [str(text) for text in secrets if text] if isinstance(secrets, list) else []
        if active:
            return active
    raise BadSignature(f"no secret is shared with {names[0]}: add one to the webhook secret")
