"""Whoever sent a webhook signed it with a secret that we share, a short time ago."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hubspot.utils.signature import Signature

from lakehouse.errors import Terminal
from lakehouse.landing.signatures import (
    BadSignature,
    Request,
    verify_google,
    verify_hubspot,
    verify_jiandaoyun,
    verify_standard,
)

NOW = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
URI = "https://api.example.com/land/hubspot/contacts?portal=1"
KEY = base64.b64encode(b"a shared secret of some length").decode()


def hubspot(body=b"{}", secret="ours", at=NOW):
    """Sign with HubSpot's own client."""
    stamp = str(int(at.timestamp() * 1000))
    signature = Signature.get_signature(secret, body.decode(), "v3", URI, "POST", stamp)
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}
    return Request("hubspot", "contacts", "POST", URI, headers, body)


def standard(body=b"{}", key=KEY, at=NOW, message_id="msg_1"):
    """Sign as Standard Webhooks says."""
    stamp = str(int(at.timestamp()))
    text = f"{message_id}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    return Request("shop", "orders", "POST", "https://api.example.com/land/shop/orders", headers, body)


def jiandaoyun(body=b"{}", secret="ours", at=NOW, nonce="0f5ade"):
    """Sign as Jiandaoyun's page on data pushes says."""
    stamp = str(int(at.timestamp()))
    signature = hashlib.sha1(f"{nonce}:{body.decode()}:{secret}:{stamp}".encode()).hexdigest()
    uri = f"https://api.example.com/land/jiandaoyun/webhooks?timestamp={stamp}&nonce={nonce}"
    headers = {"x-jdy-signature": f"sha1={signature}", "x-jdy-deliverid": "d-1"}
    return Request("jiandaoyun", "webhooks", "POST", uri, headers, body)


VERIFY = [
    (hubspot, verify_hubspot, "ours", None),
    (standard, verify_standard, f"whsec_{KEY}", "msg_1"),
    (jiandaoyun, verify_jiandaoyun, "ours", "d-1"),
]


@pytest.mark.parametrize(("sign", "verify", "secret", "identity"), VERIFY)
def test_a_right_signature_passes_with_any_active_secret(sign, verify, secret, identity):
    """While a secret is being replaced, two are active."""
    assert verify([secret], sign(), NOW) == identity
    other = f"whsec_{base64.b64encode(b'another').decode()}"
    assert verify([other, secret], sign(), NOW) == identity


@pytest.mark.parametrize("seconds", [-301, 301])
@pytest.mark.parametrize(("sign", "verify", "secret", "identity"), VERIFY)
def test_an_old_signature_is_refused(sign, verify, secret, identity, seconds):
    """And one of the future; a little of both is the clocks' difference."""
    assert verify([secret], sign(at=NOW + timedelta(seconds=seconds // 2)), NOW) == identity
    with pytest.raises(BadSignature, match="within 300 s of ours"):
        verify([secret], sign(at=NOW + timedelta(seconds=seconds)), NOW)


@pytest.mark.parametrize(("sign", "verify", "secret", "identity"), VERIFY)
def test_an_altered_body_or_another_secret_is_refused(sign, verify, secret, identity):
    """Nor does a request without headers pass."""
    stranger = f"whsec_{base64.b64encode(b'stranger').decode()}"
    for secrets, request in (
        ([secret], replace(sign(), body=b"[]")),
        ([stranger], sign()),
        ([secret], replace(sign(), headers={})),
        ([], sign()),
    ):
        with pytest.raises(BadSignature):
            verify(secrets, request, NOW)


@pytest.mark.parametrize("stamp", ["", "soon", "²", "-5", "9" * 17])
def test_a_time_that_is_none_is_refused(stamp):
    """Digits alone are read, and not more of them than a time has."""
    request = standard()
    request.headers["webhook-timestamp"] = stamp
    with pytest.raises(BadSignature, match="has no time"):
        verify_standard([f"whsec_{KEY}"], request, NOW)


def test_a_nonce_cannot_take_over_the_beginning_of_a_body():
    """A colon in it would shift where the one ends and the other begins."""
    with pytest.raises(BadSignature, match="nonce has a colon"):
        verify_jiandaoyun(["ours"], jiandaoyun(nonce="n:x"), NOW)


@pytest.mark.parametrize("secret", ["whsec_%%%", "whsec_"])
def test_a_secret_that_is_no_key_is_told_without_quoting_it(secret):
    """A person has to correct it."""
    with pytest.raises(Terminal, match="correct the secret") as caught:
        verify_standard([secret], standard(), NOW)
    assert "%%%" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "lead"),
    [
        (b'{"lead_id": "L1", "google_key": "g"}', "L1"),
        (b'{"lead_id": "L1", "google_key": "x"}', None),
        (b'{"lead_id": "L1"}', None),
        (b'{"google_key": "g"}', None),
        (b'["g"]', None),
        (b"no JSON", None),
    ],
)
def test_a_lead_of_google_has_the_key_that_both_know(body, lead):
    """Google signs nothing."""
    request = Request("google", "leads", "POST", "", {}, body)
    if lead is None:
        with pytest.raises(BadSignature):
            verify_google(["g"], request)
    else:
        assert verify_google(["g"], request) == lead


def test_our_check_agrees_with_hubspots_own():
    """The oracle accepts what we accept (both know only its time window's older end)."""
    body = b'{"eventId": 1}'
    request = hubspot(body, at=datetime.fromtimestamp(time.time(), UTC))
    assert Signature.is_valid(
        signature=request.headers["x-hubspot-signature-v3"],
        client_secret="ours",
        request_body=body.decode(),
        http_uri=URI,
        http_method="POST",
        signature_version="v3",
        timestamp=request.headers["x-hubspot-request-timestamp"],
    )
