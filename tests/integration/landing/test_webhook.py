"""A signed webhook becomes one raw file; anything else is refused and stores nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hubspot.utils.signature import Signature

from lakehouse import aws, objects, settings
from lakehouse.errors import Terminal, Transient
from lakehouse.landing import webhook
from lakehouse.landing.signatures import Request
from tests.support import cloud as clouds

NOW = datetime.now(UTC)
URI = "https://api.example.com/land/hubspot/contacts?portal=1"


def answer(request, now):
    """Answer with the settings of now."""
    return webhook.answer(settings.current(), request, now)


@pytest.fixture
def cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def _files():
    page = aws.s3().list_objects_v2(Bucket=settings.current().landing_bucket)
    return {
        item["Key"]: objects.get(settings.current().landing_bucket, item["Key"])
        for item in page.get("Contents", [])
    }


def _standard(body, message_id="msg_1", secret=None, at=NOW, entity="orders", source="shop", **headers):
    """Sign as Standard Webhooks says, apart from our own code."""
    secret = secret or clouds.WEBHOOK_SECRETS["default"][0]
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(
        hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    ).decode()
    given = {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{made}",
        **headers,
    }
    return Request(source, entity, "POST", "https://api.example.com/land/shop/orders", given, body)


def _hubspot(body, secret="hubspot-old", at=NOW, uri=URI, entity="contacts"):
    """Sign with HubSpot's own client."""
    stamp = str(int(at.timestamp() * 1000))
    made = Signature.get_signature(secret, body.decode(), "v3", uri, "POST", stamp)
    given = {"x-hubspot-signature-v3": made, "x-hubspot-request-timestamp": stamp}
    return Request("hubspot", entity, "POST", uri, given, body)


def test_a_hubspot_webhook_lands(cloud):
    """Signed as HubSpot's client signs: each event is a line, under the hour it came."""
    body = b'[{"eventId": 1, "amount": 1.10},\n {"eventId": 2, "name": "\xe7\x8e\x8b"}]'
    assert answer(_hubspot(body), NOW) == (200, {"accepted": 2})
    ((key, content),) = _files().items()
    assert key.startswith(f"hubspot/contacts/{NOW:%Y/%m/%d/%H}/")
    assert key.endswith(".json")
    assert content == b'{"eventId": 1, "amount": 1.10}\n{"eventId": 2, "name": "\xe7\x8e\x8b"}\n'


def _jiandaoyun(body, secret, at=NOW, delivery="d-1", nonce="0f5ade", **headers):
    """Sign as Jiandaoyun's page on data pushes says."""
    stamp = str(int(at.timestamp()))
    made = hashlib.sha1(f"{nonce}:{body.decode()}:{secret}:{stamp}".encode()).hexdigest()
    uri = f"https://api.example.com/land/jiandaoyun/webhooks?timestamp={stamp}&nonce={nonce}"
    given = {"x-jdy-signature": made, "x-jdy-deliverid": delivery, **headers}
    return Request("jiandaoyun", "webhooks", "POST", uri, given, body)


def test_a_push_of_jiandaoyun_lands(cloud, monkeypatch):
    """Once under its id; altered, old, with another secret or without an id it is refused."""
    monkeypatch.setattr(webhook, "secret", lambda _: {"jiandaoyun": ["jdy-new", "jdy-old"]})
    body = '{"op": "data_create", "data": {"name": "王"}}'.encode()
    assert answer(_jiandaoyun(body, "jdy-old"), NOW) == (200, {"accepted": 1})
    assert answer(_jiandaoyun(body, "jdy-new", nonce="another"), NOW) == (200, {"accepted": 1})
    ((_, content),) = _files().items()
    assert content == body + b"\n"
    altered = replace(_jiandaoyun(body, "jdy-old"), body=body.replace(b"create", b"delete"))
    old = _jiandaoyun(body, "jdy-old", at=NOW - timedelta(seconds=301))
    shifted = _jiandaoyun(b'{"op": "x", "data": 1}', "jdy-old", nonce='n:["seen"')
    for refused in (
        altered,
        old,
        shifted,
        _jiandaoyun(body, "jdy-stolen"),
        _jiandaoyun(body, "jdy-old", delivery=""),
        _jiandaoyun(body, "jdy-old", **{"x-jdy-signature": ""}),
    ):
        assert answer(refused, NOW)[0] == 401
    assert len(_files()) == 1


def test_a_lead_of_google_lands(cloud, monkeypatch):
    """Once under its id, with the key that both know; with another or none it is refused."""
    monkeypatch.setattr(webhook, "secret", lambda _: {"google": ["g-key"]})
    uri = "https://api.example.com/land/google/leads"

    def sent(text):
        return answer(Request("google", "leads", "POST", uri, {}, text.encode()), NOW)

    lead = '{"lead_id": "L1", "google_key": "g-key"}'
    assert sent(lead) == sent(lead) == (200, {"accepted": 1})
    for refused in (
        '{"lead_id": "L2", "google_key": "other"}',
        '{"lead_id": "L2", "google_key": ""}',
        '{"lead_id": "L2"}',
        '{"google_key": "g-key"}',
        '["g-key"]',
        "no JSON",
    ):
        assert sent(refused)[0] == 401
    assert len(_files()) == 1


def test_a_standard_webhook_lands(cloud):
    """The published example of the Standard Webhooks specification is accepted, as is our own."""
    assert answer(_standard(b'{"order": 7}'), NOW) == (200, {"accepted": 1})
    assert list(_files().values()) == [b'{"order": 7}\n']


def test_the_specifications_own_example_verifies(cloud):
    """Secret, id, time, body and signature as the Standard Webhooks libraries' tests have them."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    aws.secrets().put_secret_value(
        SecretId="lakehouse/webhook", SecretString=json.dumps({"default": [secret]})
    )
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    request = Request("shop", "tests", "POST", "", headers, b'{"test": 2432232314}')
    assert answer(request, datetime.fromtimestamp(1614265330, UTC)) == (200, {"accepted": 1})


@pytest.mark.parametrize("number", [0, 1])
def test_two_secrets_are_active_while_one_is_replaced(cloud, number):
    """Either is good, for both kinds of signature; HubSpot's list of signatures may hold strangers."""
    assert answer(_hubspot(b"{}", secret=clouds.WEBHOOK_SECRETS["hubspot"][number]), NOW)[0] == 200
    request = _standard(b"{}", secret=clouds.WEBHOOK_SECRETS["default"][number])
    request.headers["webhook-signature"] = f"v1a,c3RyYW5nZQ== v1,AAAA {request.headers['webhook-signature']}"
    assert answer(request, NOW)[0] == 200


def _tampered(request, **changed):
    return Request(**{name: changed.get(name, getattr(request, name)) for name in Request.__slots__})


@pytest.mark.parametrize(
    "request_",
    [
        _standard(b"{}", secret="whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="),
        _standard(b"{}", at=NOW - timedelta(seconds=302)),
        _standard(b"{}", at=NOW + timedelta(seconds=302)),
        _standard(b"{}", **{"webhook-signature": ""}),
        _standard(b"{}", message_id=""),
        _standard(b"{}", **{"webhook-id": "msg_2"}),
        _standard(b"{}", **{"webhook-timestamp": "soon"}),
        _standard(b"{}", **{"webhook-timestamp": "²"}),
        _tampered(_standard(b"{}"), body=b'{"more": 1}'),
        _tampered(_standard(b"{}"), headers={}),
        _standard(b"{}", source="hubspot"),
        _hubspot(b"{}", secret="another"),
        _hubspot(b"{}", at=NOW - timedelta(seconds=302)),
        _hubspot(b"{}", at=NOW + timedelta(seconds=302)),
        _tampered(_hubspot(b"{}"), body=b"[]"),
        _tampered(_hubspot(b"{}"), uri="https://api.example.com/land/hubspot/deals"),
        _tampered(_hubspot(b"{}"), method="PUT"),
        _tampered(_hubspot(b"{}"), headers={}),
        _tampered(_hubspot(b"{}"), source="shop"),
        _tampered(_hubspot(b"not even json"), headers={}),
    ],
)
def test_a_wrong_signature_stores_nothing(cloud, request_):
    """401, whatever is wrong: secret, time, id, method, URI, a byte of the body, or another source's kind."""
    assert answer(request_, NOW)[0] == 401
    assert _files() == {}
    assert list(objects.list_keys(settings.current().ops_bucket, "")) == []


def test_a_source_that_shares_no_secret_is_refused(cloud):
    """401, and the log says what to do; an empty secret is none, for everybody could sign with it."""
    empty = json.dumps({"hubspot": [""], "default": []})
    aws.secrets().put_secret_value(SecretId="lakehouse/webhook", SecretString=empty)
    assert answer(_hubspot(b"{}", secret=""), NOW)[0] == 401
    assert answer(_standard(b"{}", secret="whsec_"), NOW)[0] == 401


def test_a_source_of_its_own_secret_does_not_take_the_default(cloud):
    """Whoever has a secret of his own signs with that."""
    own = "whsec_" + base64.b64encode(b"the shop's own secret").decode()
    shared = clouds.WEBHOOK_SECRETS["default"]
    aws.secrets().put_secret_value(
        SecretId="lakehouse/webhook", SecretString=json.dumps({"default": shared, "shop": [own]})
    )
    assert answer(_standard(b"{}"), NOW)[0] == 401
    assert answer(_standard(b"{}", secret=own), NOW)[0] == 200


def test_a_repeated_webhook_is_one_file(cloud):
    """Sent again at once, and hours later with a new time: the same answer, and still one file."""
    body = b'[{"order": 7}, {"order": 8}]'
    assert answer(_standard(body), NOW) == (200, {"accepted": 2})
    assert answer(_standard(body), NOW) == (200, {"accepted": 2})
    later = NOW + timedelta(hours=5)
    assert answer(_standard(body, at=later), later) == (200, {"accepted": 2})
    assert answer(_standard(b'{"order": 9}', at=later), later)[0] == 200  # the id is taken: nothing new
    assert list(_files().values()) == [b'{"order": 7}\n{"order": 8}\n']
    assert answer(_standard(body, message_id="msg_2"), NOW)[0] == 200
    assert answer(_standard(body, entity="refunds"), NOW)[0] == 200
    assert len(_files()) == 3


def test_a_repeated_webhook_reads_no_raw_file(cloud, monkeypatch):
    """Who faces the internet has no right to."""
    read = objects.get

    def notes_alone(bucket, key):
        assert bucket != clouds.LANDING
        return read(bucket, key)

    monkeypatch.setattr(objects, "get", notes_alone)
    for _ in range(2):
        assert answer(_standard(b"{}"), NOW)[0] == 200


def test_hubspots_own_repeats_are_one_file(cloud):
    """HubSpot gives no id and counts its attempts inside the body."""
    assert answer(_hubspot(b'[{"eventId": 1, "attemptNumber": 0}]'), NOW)[0] == 200
    later = NOW + timedelta(hours=2)
    assert answer(_hubspot(b'[{"eventId": 1, "attemptNumber": 1}]', at=later), later)[0] == 200
    assert len(_files()) == 1
    assert answer(_hubspot(b'[{"eventId": 2, "attemptNumber": 0}]'), NOW)[0] == 200
    assert len(_files()) == 2


def test_a_crash_between_note_and_file_is_mended_by_the_repeat(cloud, monkeypatch):
    """The note alone loses nothing: the repeat writes the very file that it names."""

    def crashing(*_):
        raise Transient("gone")

    with monkeypatch.context() as crash:
        crash.setattr(objects, "put_unless_there", crashing)
        with pytest.raises(Transient):
            answer(_standard(b"{}"), NOW)
    later = NOW + timedelta(hours=1)
    assert answer(_standard(b"{}", at=later), later)[0] == 200
    assert [key.split("/")[5] for key in _files()] == [f"{NOW:%H}"]


@pytest.mark.parametrize("name", ["", "..", "Shop", "a/b", "shop ", "店", "shop\n", "_shop", "a.b"])
def test_odd_names_are_not_found(cloud, name):
    """404 before anything else."""
    assert answer(_standard(b"{}", source=name), NOW)[0] == 404
    assert answer(_standard(b"{}", entity=name), NOW)[0] == 404
    assert _files() == {}


def test_an_empty_list_is_fine_and_stores_nothing(cloud):
    """200, nothing accepted."""
    assert answer(_standard(b" [ ] "), NOW) == (200, {"accepted": 0})
    assert _files() == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"[1,]",
        b"[1 2]",
        b"{} {}",
        b"[NaN]",
        b"-Infinity",
        b"\xff{}",
        b"\xef\xbb\xbf{}",
        b"[" * 99_999,
        b'"a\nb"',
    ],
)
def test_what_is_not_json_is_refused(cloud, body):
    """400, and nothing stored."""
    assert answer(_standard(body), NOW)[0] == 400
    assert _files() == {}


@pytest.mark.parametrize("broken", ["whsec_%%%", "whsec_"])
def test_a_broken_secret_is_told_without_quoting_it(cloud, broken):
    """Terminal: the sender gets 500 and comes again, a person reads which secret it is."""
    aws.secrets().put_secret_value(
        SecretId="lakehouse/webhook", SecretString=json.dumps({"default": [broken]})
    )
    with pytest.raises(Terminal) as caught:
        answer(_standard(b"{}", secret="whsec_"), NOW)
    assert "%%%" not in str(caught.value)


def test_a_secret_that_is_no_json_is_told_without_quoting_it(cloud):
    """Likewise; and one that is not there may come later."""
    aws.secrets().put_secret_value(SecretId="lakehouse/webhook", SecretString="hush-hush")
    with pytest.raises(Terminal, match="lakehouse/webhook is not JSON") as caught:
        answer(_standard(b"{}"), NOW)
    assert "hush" not in str(caught.value)
    aws.secrets().delete_secret(SecretId="lakehouse/webhook", ForceDeleteWithoutRecovery=True)
    with pytest.raises(Transient, match="lakehouse/webhook cannot be read"):
        answer(_standard(b"{}"), NOW)
