"""Who sent a webhook: HubSpot's v3 signature, 简道云's, Google's key, and Standard Webhooks for everybody else.

Signatures cover the raw bytes and a time within 300 seconds of ours, both ways. While a secret is being replaced,
two are active and either will do. Comparisons take the same time whatever they are given.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

TOLERANCE_SECONDS = 300


class BadSignature(Terminal):
    """The signature is missing, old, or not made with a secret we share."""


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook as it came: header names in lower case, the whole URI as the sender signed it, the body raw."""

    source: str
    entity: str
    method: str
    uri: str
    headers: Mapping[str, str]
    body: bytes


def verify_hubspot(secrets: Sequence[str], request: Request, now: datetime) -> None:
    """Check `X-HubSpot-Signature-v3`: base64 of HMAC-SHA256 over method, URI, body and timestamp (ms).

    Raises `BadSignature`.
    """
    timestamp = request.headers.get("x-hubspot-request-timestamp", "")
    _check_age(timestamp, 1000, now)
    signed = request.method.encode() + request.uri.encode() + request.body + timestamp.encode()
    made = [_hmac(secret.encode(), signed) for secret in secrets]
    _check(made, [request.headers.get("x-hubspot-signature-v3", "")])


def verify_standard(secrets: Sequence[str], request: Request, now: datetime) -> str:
    """Check `webhook-signature` as Standard Webhooks says, and return the `webhook-id`.

    The header lists signatures, `v1,<base64 of HMAC-SHA256 over id.timestamp.body>`; a secret is `whsec_` and
    the key in base64. Raises `BadSignature`.
    """
    headers = request.headers
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id:
        raise BadSignature("the webhook has no id")
    _check_age(timestamp, 1, now)
    signed = f"{message_id}.{timestamp}.".encode() + request.body
    made = [_hmac(_key(secret), signed) for secret in secrets]
    given = [part[3:] for part in headers.get("webhook-signature", "").split(" ") if part.startswith("v1,")]
    _check(made, given)
    return message_id


def verify_jiandaoyun(secrets: Sequence[str], request: Request, now: datetime) -> str:
    """Check `X-JDY-Signature`, and return the `X-JDY-DeliverId`, which names the push.

    The signature is the hexadecimal SHA-1 of `nonce:body:secret:timestamp`, nonce and timestamp (s) from the address
    (https://hc.jiandaoyun.com/open/11507). Raises `BadSignature`.
    """
    asked = parse_qs(urlsplit(request.uri).query)
    nonce, timestamp = asked.get("nonce", [""])[0], asked.get("timestamp", [""])[0]
    delivery = request.headers.get("x-jdy-deliverid", "")
    if not delivery:
        raise BadSignature("the webhook has no id")
    if ":" in nonce:  # else the beginning of a body could be passed off as the end of the nonce
        raise BadSignature("the webhook's nonce has a colon")
    _check_age(timestamp, 1, now)
    around = (b":" + secret.encode() + b":" + timestamp.encode() for secret in secrets)
    signed = (nonce.encode() + b":" + request.body + end for end in around)
    made = [hashlib.sha1(text).hexdigest().encode() for text in signed]  # noqa: S324 - as its sender makes it
    _check(made, [request.headers.get("x-jdy-signature", "").removeprefix("sha1=")])
    return delivery


def verify_google(secrets: Sequence[str], request: Request) -> str:
    """Check `google_key` in the body of a lead form, and return the lead's id, which names it.

    Google signs nothing: the key is all there is, and no time (https://developers.google.com/google-ads/webhook).
    Raises `BadSignature`.
    """
    try:
        lead = json.loads(request.body)
    except (ValueError, RecursionError):
        lead = None
    if not isinstance(lead, dict) or not lead.get("lead_id"):
        raise BadSignature("the webhook is no lead: it has no lead_id")
    _check([secret.encode() for secret in secrets], [str(lead.get("google_key") or "")])
    return str(lead["lead_id"])


def _check_age(timestamp: str, per_second: int, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 16):  # noqa: PLR2004
        raise BadSignature("the webhook has no time")
    if abs(now.timestamp() - int(timestamp) / per_second) > TOLERANCE_SECONDS:
        raise BadSignature(f"the webhook's time is not within {TOLERANCE_SECONDS} s of ours")


def _check(made: Sequence[bytes], given: Sequence[str]) -> None:
    matches = [hmac.compare_digest(ours, theirs.encode()) for ours in made for theirs in given]
    if not any(matches):
        raise BadSignature("the webhook's signature is not made with a secret we share")


def _hmac(key: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not key:  # an empty key would let everybody sign
        raise Terminal("a webhook secret is not `whsec_` and base64; correct the secret")
    return key
