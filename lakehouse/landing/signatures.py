"""Verifies webhooks: HubSpot's v3 signature, 简道云's, Google's key, and Standard Webhooks for everybody else.

Signatures cover the raw bytes and a time within 300 seconds of ours, both ways. While a secret is being replaced,
two are active and either is accepted. Comparisons take the same time whatever they compare.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from lakehouse.errors import Terminal
from lakehouse.landing.policy import WebhookPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_LONGEST_TIMESTAMP: Final = 16  # digits; milliseconds have 13 until the year 2286


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
    """Verify `X-HubSpot-Signature-v3`: base64 of HMAC-SHA256 over method, URI, body and timestamp (ms).

    Raises `BadSignature`.
    """
    timestamp = request.headers.get("x-hubspot-request-timestamp", "")
    _check_age(timestamp, 1000, now)
    signed = request.method.encode() + request.uri.encode() + request.body + timestamp.encode()
    expected = [_hmac(secret.encode(), signed) for secret in secrets]
    _check(expected, [request.headers.get("x-hubspot-signature-v3", "")])


def verify_standard(secrets: Sequence[str], request: Request, now: datetime) -> str:
    """Verify `webhook-signature` as Standard Webhooks says, and return the `webhook-id`.

    The header lists signatures, `v1,<base64 of HMAC-SHA256 over id.timestamp.body>`; a secret is `whsec_` and
    the key in base64. Raises `BadSignature`.
    """
    headers = request.headers
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id:
        raise BadSignature("the webhook has no id")
    _check_age(timestamp, 1, now)
    signed = f"{message_id}.{timestamp}.".encode() + request.body
    expected = [_hmac(_key(secret), signed) for secret in secrets]
    versioned = headers.get("webhook-signature", "").split(" ")
    received = [text.removeprefix("v1,") for text in versioned if text.startswith("v1,")]
    _check(expected, received)
    return message_id


def verify_jiandaoyun(secrets: Sequence[str], request: Request, now: datetime) -> str:
    """Verify `X-JDY-Signature`, and return the `X-JDY-DeliverId`, which names the push.

    The signature is the hexadecimal SHA-1 of `nonce:body:secret:timestamp`, nonce and timestamp (s) from the address
    (https://hc.jiandaoyun.com/open/11507). Raises `BadSignature`.
    """
    query = parse_qs(urlsplit(request.uri).query)
    nonce, timestamp = query.get("nonce", [""])[0], query.get("timestamp", [""])[0]
    delivery = request.headers.get("x-jdy-deliverid", "")
    if not delivery:
        raise BadSignature("the webhook has no id")
    if ":" in nonce:  # else the beginning of a body could be passed off as the end of the nonce
        raise BadSignature("the webhook's nonce has a colon")
    _check_age(timestamp, 1, now)
    prefix = nonce.encode() + b":" + request.body + b":"
    signed = (prefix + secret.encode() + b":" + timestamp.encode() for secret in secrets)
    expected = [hashlib.sha1(text).hexdigest().encode() for text in signed]  # noqa: S324 - as its sender makes it
    _check(expected, [request.headers.get("x-jdy-signature", "").removeprefix("sha1=")])
    return delivery


def verify_google(secrets: Sequence[str], request: Request) -> str:
    """Verify `google_key` in the body of a lead form, and return the lead's id, which names it.

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
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise BadSignature("the webhook has no time")
    if abs(now.timestamp() - int(timestamp) / per_second) > WebhookPolicy.tolerance_seconds:
        raise BadSignature(f"the webhook's time is not within {WebhookPolicy.tolerance_seconds} s of ours")


def _check(expected: Sequence[bytes], received: Sequence[str]) -> None:
    """Raise BadSignature unless one of the signatures received is one of those expected."""
    pairs = itertools.product(expected, received)
    matches = [hmac.compare_digest(signature, other.encode()) for signature, other in pairs]
    if not any(matches):  # a list, so that each pair is compared whichever matches
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
