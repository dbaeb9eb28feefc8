"""`land` behind API Gateway: a signed webhook is a file, an unsigned one is nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass

import pytest
from hubspot.utils.signature import Signature

from functions.land.handler import handler
from lakehouse import aws, objects, settings
from lakehouse.errors import Transient
from tests.support import cloud as clouds

HOST = "abc123.execute-api.eu-central-1.amazonaws.com"


@dataclass
class Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "land"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:land"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def _cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def _event(signed, /, secret="hubspot-new", scheme="https", query="", **changed):
    """An API Gateway request, payload format 2.0, signed by HubSpot's own client."""
    stamp = str(int(time.time() * 1000))
    uri = f"{scheme}://{HOST}/land/hubspot/contacts{'?' + query if query else ''}"
    made = Signature.get_signature(secret, signed.decode(), "v3", uri, "POST", stamp)
    headers = {
        "Host": HOST,
        "X-Forwarded-Proto": "https",
        "x-hubspot-signature-v3": made,
        "X-HubSpot-Request-Timestamp": stamp,
    }
    event = {
        "version": "2.0",
        "routeKey": "POST /land/{source}/{entity}",
        "rawPath": "/land/hubspot/contacts",
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {"domainName": HOST, "http": {"method": "POST", "path": "/land/hubspot/contacts"}},
        "pathParameters": {"source": "hubspot", "entity": "contacts"},
        "body": signed.decode(),
        "isBase64Encoded": False,
    }
    return {**event, **changed}


def _files():
    bucket = settings.current().landing_bucket
    return [objects.get(bucket, key) for key in objects.list_keys(bucket, "")]


def test_a_signed_webhook_becomes_a_raw_file():
    """200 with the number of records; header names in any case; the query belongs to what is signed."""
    answer = handler(_event(b'[{"eventId": 1}, {"eventId": 2}]', query="portal=1"), Context())
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"accepted": 2})
    assert _files() == [b'{"eventId": 1}\n{"eventId": 2}\n']


def _statement(body: bytes, secret: str = clouds.WEBHOOK_SECRETS["consent"][0], **changed):
    """A request to POST /v1/consent, signed as Standard Webhooks say."""
    stamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(
        hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()
    ).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{made}"}
    asked = {"method": "POST", "path": "/v1/consent"}
    fixed = {"routeKey": "POST /v1/consent", "rawPath": "/v1/consent", "rawQueryString": ""}
    event = {**fixed, "headers": headers, "requestContext": {"domainName": HOST, "http": asked}}
    return {**event, "body": body.decode(), "isBase64Encoded": False, **changed}


NO = (
    b'{"subject": {"email": "ann@example.com"}, "purpose": "marketing", "channel": "email", "granted": false}'
)


def test_a_signed_statement_of_consent_lands_once():
    """Under the secret of the name `consent`; sent again, it is the same file."""
    for _ in range(2):
        answer = handler(_statement(NO), Context())
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"accepted": 1})
    [line] = _files()
    assert json.loads(line) == {
        "statement_id": "msg_1", "address": "ann@example.com", "country": None, "purpose": "marketing",
        "channel": "email", "granted": False, "stated_at": None, "via": "post",
    }  # fmt: skip
    [key] = objects.list_keys(settings.current().landing_bucket, "")
    assert key.startswith("consent/statements/")


def test_another_statement_under_the_same_id_lands_too():
    """A sender that counts its ids anew loses no refusal behind a 200."""
    for body in (NO, NO.replace(b"ann@", b"ben@")):
        assert handler(_statement(body), Context())["statusCode"] == 200
    assert [json.loads(line)["address"] for line in sorted(_files())] == [
        "ann@example.com",
        "ben@example.com",
    ]


@pytest.mark.parametrize(
    ("body", "secret", "status"),
    [
        (NO, clouds.WEBHOOK_SECRETS["default"][0], 401),
        (b'{"granted": true}', clouds.WEBHOOK_SECRETS["consent"][0], 400),
        (b"no", clouds.WEBHOOK_SECRETS["consent"][0], 400),
    ],
)
def test_a_statement_that_is_refused_stores_nothing(body, secret, status):
    """One that another sender's secret signs, one without a subject, one that is no JSON."""
    answer = handler(_statement(body, secret), Context())
    assert answer["statusCode"] == status
    assert _files() == []


def test_a_statement_that_cannot_be_stored_is_not_taken(monkeypatch):
    """The sender hears no 200, and sends it again."""

    def broken(*_):
        raise Transient("no room")

    monkeypatch.setattr(objects, "put_unless_there", broken)
    with pytest.raises(Transient):
        handler(_statement(NO), Context())


def test_a_binary_body_is_decoded_before_it_is_verified():
    """API Gateway hands over what it takes for binary as base64."""
    body = '{"name": "王"}'.encode()
    encoded = _event(body, body=base64.b64encode(body).decode(), isBase64Encoded=True)
    assert handler(encoded, Context())["statusCode"] == 200
    assert _files() == [body + b"\n"]


def test_behind_plain_http_the_scheme_is_as_forwarded():
    """The local stack has no TLS and no proxy in front."""
    event = _event(b"{}", scheme="http")
    assert handler(event, Context())["statusCode"] == 401
    del event["headers"]["X-Forwarded-Proto"]
    assert handler(event, Context())["statusCode"] == 200


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"secret": "another"}, 401),
        ({"headers": None}, 401),
        ({"body": None}, 401),
        ({}, 400),
        ({"pathParameters": {"source": "../x", "entity": "contacts"}}, 404),
    ],
)
def test_what_is_refused_stores_nothing(changed, status):
    """401, 400, 404 with a reason in JSON."""
    answer = handler(_event(b"not json", **changed), Context())
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["error"]
    assert _files() == []
    assert list(objects.list_keys(settings.current().ops_bucket, "")) == []


def test_the_body_is_in_no_log(caplog, capsys):
    """Neither accepted nor refused bodies are logged; the reason is."""
    for secret in ("hubspot-new", "another"):
        handler(_event(b'{"name": "Li Wei"}', secret=secret), Context())
    said = capsys.readouterr().out + "".join(str(vars(record)) for record in caplog.records)
    assert "WebhooksRefused" in said
    assert "secret we share" in said
    assert "Li Wei" not in said


def test_secrets_are_fetched_once(monkeypatch):
    """Five minutes at most from the store, so that a rotation is seen and a flood costs nothing."""
    calls, real = [], aws.secrets().get_secret_value

    def counting(**arguments):
        calls.append(arguments)
        return real(**arguments)

    monkeypatch.setattr(aws.secrets(), "get_secret_value", counting)
    for number in range(3):
        handler(_event(f'{{"eventId": {number}}}'.encode()), Context())
    assert len(calls) == 1
