"""`collect` behind API Gateway: what is let in is on the queue before its 200; what is not has stored nothing."""

from __future__ import annotations

import base64
import gzip
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.collect.handler import handler
from functions.gather.handler import handler as gather
from lakehouse import aws, objects, secrets, settings
from lakehouse.errors import LakehouseError
from lakehouse.landing import collect as door
from lakehouse.landing import gather as gathering
from lakehouse.landing.gather import gather_left
from lakehouse.landing.write_keys import RateLimits
from tests.support import cloud as clouds

EVENTS = Path(__file__).parents[2] / "events"
KB, GZIP = 1024, {"Content_Encoding": "gzip"}


@dataclass
class Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "collect"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def _cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        monkeypatch.setattr(door, "limits", RateLimits())
        yield


def request(body, call="batch", *, key="key-new", method="POST", **headers):
    """An API Gateway request, payload format 2.0; `key` goes by Basic authentication."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/v1/{call}"
    if key is not None:
        headers["Authorization"] = f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"
    return {
        "routeKey": f"{method} /v1/{{call}}",
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {
            "requestId": "request-1",
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.9"},
        },
        "pathParameters": {"call": call},
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
    }


def answered(event):
    answer = handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def queued():
    """Return the messages on the queue."""
    found = []
    url = settings.current().collect_queue_url
    while messages := aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += messages
    return found


def waiting():
    """Return the keys of requests that are in no raw file."""
    return list(objects.list_keys(settings.current().ops_bucket, "collected/"))


def bodies():
    return [json.loads(message["Body"]) for message in queued()]


EVENT = {"type": "track", "event": "A", "userId": "u", "messageId": "m"}
BATCH = {"batch": [EVENT], "sentAt": "2026-01-01T00:00:00Z"}


def test_a_batch_is_on_the_queue_as_it_came():
    """With its source, and when it was received."""
    assert answered(request(BATCH)) == (200, {"success": True})
    (one,) = bodies()
    assert (one["source"], one["call"], one["id"], one["body"]) == ("web", "batch", "request-1", BATCH)
    assert one["ip"] == ""
    assert abs(time.time() - datetime.fromisoformat(one["received_at"]).timestamp()) < 60


@pytest.mark.parametrize(
    ("call", "known"),
    [(name, call) for call in ("track", "identify", "page", "screen", "group", "alias") for name in (call, call[0])]
    + [("batch", "batch"), ("b", "batch"), ("import", "batch")],
)  # fmt: skip
def test_every_call_has_its_path(call, known):
    """Those of servers, of the browser's SDK, and of Ruby's."""
    assert answered(request(BATCH if known == "batch" else EVENT, call))[0] == 200
    assert [one["call"] for one in bodies()] == [known]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**BATCH, "writeKey": "key-old"}, {}),
        ({**BATCH, "writeKey": "key-new"}, {"authorization": "Bearer token"}),
        (BATCH, {"AUTHORIZATION": f"Basic {base64.b64encode(b'key-new').decode()}"}),
        (BATCH, {"authorization": f"basic  {base64.b64encode(b'key-new:pass:word').decode()}"}),
    ],
    ids=["body", "bearer", "no colon", "password"],
)
def test_every_way_of_showing_a_key(body, headers):
    """In the body, by Basic authentication with or without a colon, beside a Bearer token."""
    assert answered(request(body, key=None, **headers))[0] == 200
    assert len(queued()) == 1


@pytest.mark.parametrize(
    ("key", "body", "headers"),
    [
        (None, BATCH, {}),
        ("wrong", BATCH, {}),
        ("", BATCH, {}),
        (None, {**BATCH, "writeKey": None}, {}),
        (None, {**BATCH, "writeKey": ["key-new"]}, {}),
        (None, BATCH, {"authorization": "Basic é"}),
        (None, BATCH, {"authorization": "Basic"}),
        (None, BATCH, {"authorization": f"Basic {base64.b64encode(bytes([255])).decode()}"}),
        ("wrong", {**BATCH, "writeKey": "key-new"}, {}),
    ],
)
def test_without_a_key_nothing_is_stored(key, body, headers):
    """401, as SDKs understand it; a wrong header is not made good by the body."""
    status, told = answered(request(body, key=key, **headers))
    assert (status, told["code"], told["success"]) == (401, "invalid_write_key", False)
    assert (queued(), waiting()) == ([], [])


def test_a_wrong_key_costs_no_reading_of_the_body(monkeypatch):
    """A flood of them is cheap."""
    monkeypatch.setattr(door, "_object", lambda _: pytest.fail("the body was read"))
    assert answered(request(BATCH, key="wrong"))[0] == 401


def test_a_key_in_the_address_is_refused():
    """Everybody on the way logs it."""
    event = request(BATCH) | {"queryStringParameters": {"writeKey": "key-new"}}
    status, told = answered(event)
    assert (status, told["code"]) == (401, "key_in_query")
    assert (queued(), waiting()) == ([], [])


def packed(body):
    return gzip.compress(body, mtime=0)


def deep(levels):
    return b'{"batch":[' + b"[" * levels + b"]" * levels + b"]}"


@pytest.mark.parametrize(
    ("call", "body", "headers", "status", "code"),
    [
        ("batch", b"{", {}, 400, "invalid_json"),
        ("batch", b"", {}, 400, "invalid_json"),
        ("batch", b"[]", {}, 400, "invalid_json"),
        ("batch", b'"text"', {}, 400, "invalid_json"),
        ("batch", b'{"batch":[NaN]}', {}, 400, "invalid_json"),
        ("batch", b'{"batch":[{}]} {}', {}, 400, "invalid_json"),
        ("batch", b'{"batch":[{"a":"\xff"}]}', {}, 400, "invalid_json"),
        ("batch", b'{"batch":[{"a":"\n"}]}', {}, 400, "invalid_json"),
        ("batch", "\ufeff{}".encode(), {}, 400, "invalid_json"),
        ("batch", deep(200_000)[:-1], {}, 400, "invalid_json"),
        ("batch", deep(200_000)[:-2] + b"}}", {}, 400, "invalid_json"),
        ("batch", deep(200_000) + b"1", {}, 400, "invalid_json"),
        ("batch", b"[" * 200_000 + b"]" * 200_000, {}, 400, "invalid_json"),
        ("batch", {"batch": {}}, {}, 400, "invalid_batch"),
        ("batch", {"events": [EVENT]}, {}, 400, "invalid_batch"),
        ("batch", {"batch": []}, {}, 400, "empty_batch"),
        ("batch", {"batch": [{}] * 2_501}, {}, 400, "too_large"),
        ("track", {**EVENT, "properties": {"x": "y" * 33 * KB}}, {}, 400, "too_large"),
        ("batch", b'{"batch":["' + b"x" * 501 * KB + b'"]}', {}, 413, "too_large"),
        ("batch", packed(b'{"batch":["' + b"x" * 501 * KB + b'"]}'), GZIP, 400, "too_large"),
        ("batch", packed(b"\0" * (200 << 20)), GZIP, 400, "too_large"),
        ("batch", json.dumps(BATCH).encode(), {"Content_Encoding": "gzip"}, 400, "invalid_gzip"),
        ("batch", packed(json.dumps(BATCH).encode())[:-9], GZIP, 400, "invalid_gzip"),
        ("batch", packed(json.dumps(BATCH).encode()) + b"x", GZIP, 400, "invalid_gzip"),
        ("batch", json.dumps(BATCH).encode(), {"Content_Encoding": "br"}, 400, "unknown_encoding"),
        ("capture", EVENT, {}, 404, "unknown_call"),
        ("__proto__", EVENT, {}, 404, "unknown_call"),
        ("Batch", BATCH, {}, 404, "unknown_call"),
    ],
)  # fmt: skip
def test_what_can_never_be_taken_is_refused_whole(call, body, headers, status, code):
    """With a word that says why, and nothing stored."""
    found, told = answered(request(body, call, **headers))
    assert (found, told["code"]) == (status, code)
    assert (queued(), waiting()) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        {"batch": [1, None, "x", [], {}]},
        {"batch": [{"type": "track", "event": 7}]},
        json.dumps({"batch": [{"properties": {"x": "\ufffe\uffff\x7f 😀"}}]}, ensure_ascii=False).encode(),
        b'{"batch":[{"messageId":"a","messageId":"b"}],"__proto__":{"x":1}}',
        b'{\r\n "batch":\n[ {} ]\n}',
        json.dumps({"batch": [{"x": "y" * 30 * KB}] * 16}).encode(),
        {"batch": [{"m": number} for number in range(2_500)]},
    ],
)
def test_what_ingest_can_tell_apart_is_let_in(body):
    """Single events are ingest's to judge: neighbours are unharmed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert answered(request(raw)) == (200, {"success": True})
    assert answered(request(gzip.compress(raw), Content_Encoding="gzip")) == (200, {"success": True})
    assert [one["body"] for one in bodies()] == [json.loads(raw)] * 2


def test_a_page_of_another_site_may_not_use_a_key_with_origins():
    """A server, which has no origin, may."""
    for origin, status in (("https://shop.example.com", 200), ("https://evil.example", 403), ("null", 403)):
        event = request(BATCH, key="key-app", Origin=origin)
        answer = handler(event, Context())
        assert answer["statusCode"] == status
        assert answer["headers"]["access-control-allow-origin"] == origin
    assert answered(request(BATCH, key="key-app"))[0] == 200
    assert len(queued()) == 2


def test_who_sends_too_often_is_told_when_to_come_again(monkeypatch):
    """429 with whole seconds, which SDKs wait."""
    monkeypatch.setattr(door, "limits", RateLimits(lambda: 0.0))
    for _ in range(5):
        assert answered(request(BATCH, key="key-app"))[0] == 200
    answer = handler(request(BATCH, key="key-app"), Context())
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (429, "1")
    assert answered(request(BATCH))[0] == 200


def test_a_revoked_key_is_refused_within_the_minute(monkeypatch):
    """The secret is asked for again."""
    assert answered(request(BATCH, key="key-old"))[0] == 200
    aws.secrets().put_secret_value(SecretId="lakehouse/collect", SecretString='{"web": ["key-new"]}')
    secrets._provider.cache_clear()  # as after half a minute
    assert answered(request(BATCH, key="key-old"))[0] == 401
    assert answered(request(BATCH, key="key-new"))[0] == 200


def test_without_a_secret_or_a_store_the_sender_tries_again(monkeypatch):
    """No 4xx: an SDK would drop its events for good."""
    monkeypatch.setenv("LAKEHOUSE_COLLECT_SECRET", "lakehouse/none")
    settings.current.cache_clear()
    with pytest.raises(LakehouseError):
        handler(request(BATCH), Context())
    monkeypatch.delenv("LAKEHOUSE_COLLECT_SECRET")
    monkeypatch.setenv("LAKEHOUSE_OPS_BUCKET", "not-there")
    settings.current.cache_clear()
    with pytest.raises(LakehouseError) as raised:
        handler(request(BATCH), Context())
    assert "userId" not in str(raised.value)
    assert queued() == []


def test_a_browser_is_told_that_it_may_send():
    """Before it does; its metrics are taken and thrown away."""
    event = json.loads((EVENTS / "collect" / "preflight.json").read_text())
    answer = handler(event, Context())
    assert answer["statusCode"] == 204
    assert answer["headers"]["access-control-allow-origin"] == "https://shop.example.com"
    assert answer["headers"]["access-control-allow-headers"] == "content-type,authorization"
    assert answer["headers"]["access-control-allow-credentials"] == "true"  # beacons ask for it
    assert answered(request({"series": []}, "m", key=None)) == (200, {"success": True})
    settings_asked = json.loads((EVENTS / "collect" / "browser_settings.json").read_text())
    assert answered(settings_asked)[1]["integrations"]["Segment.io"]["apiKey"] == "write-key-of-web"
    assert (queued(), waiting()) == ([], [])


@pytest.mark.parametrize("data", ["good", "wrong key", "{", "%%%", "", "订", "\x80"])
def test_a_pixel_is_always_a_picture(data):
    """In a mail nobody reads an error."""
    told = {
        "writeKey": "key-new" if data == "good" else "no",
        "userId": "u",
        "event": "Opened?>",
        "type": "track",
    }
    given = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    event = json.loads((EVENTS / "collect" / "pixel.json").read_text())
    event["queryStringParameters"] = {"data": given if data in ("good", "wrong key") else data}
    answer = handler(event, Context())
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, "image/gif")
    assert base64.b64decode(answer["body"]).startswith(b"GIF89a")
    assert len(queued()) == (data == "good")


# --- gather


def sent(messages):
    return {
        "Records": [
            {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"]}
            for message in messages
        ]
    }  # fmt: skip


def files():
    bucket = settings.current().landing_bucket
    return {key: objects.get(bucket, key).decode() for key in objects.list_keys(bucket, "")}


def test_the_requests_of_a_call_are_one_file_a_source():
    """A call that is repeated writes the same one; a message that comes twice is there once."""
    for number, key in enumerate(("key-new", "key-app", "key-new")):
        event = request(BATCH, key=key)
        event["requestContext"]["requestId"] = f"request-{number}"
        handler(event, Context())
    messages = queued()
    call = sent([*messages, messages[0]])
    for _ in range(2):
        assert gather(call, Context(function_name="gather")) == {"batchItemFailures": []}
    assert waiting() == []
    found = files()
    assert sorted(key.split("/")[0] for key in found) == ["app", "web"]
    assert all(key.startswith(("web/events/2", "app/events/2")) for key in found)
    assert [len(text.splitlines()) for _, text in sorted(found.items())] == [1, 2]


@pytest.mark.parametrize(
    "body",
    [
        "{}", "", "[]", '{"source":"web"}', '{"source":"../x","received_at":"2026-01-01"}',
        '{"lakehouse_request":1,"id":7,"received_at":"2026-01-01T00:00:00Z","source":"web"}',
        '{"lakehouse_request":1,"id":"r","received_at":"2026-01-01T00:00:00","source":"web"}',
    ],
)  # fmt: skip
def test_a_message_that_is_none_goes_to_the_dead_letters_alone(body):
    """Its neighbours land."""
    handler(request(BATCH), Context())
    call = sent(queued())
    call["Records"].append({"messageId": "strange", "receiptHandle": "none", "body": body})
    assert gather(call, Context())["batchItemFailures"] == [{"itemIdentifier": "strange"}]
    assert len(files()) == 1
    assert waiting() == []


def test_a_request_whose_message_was_lost_is_found(monkeypatch):
    """The queue may lose everything: what was answered 200 is stored."""
    url = settings.current().collect_queue_url
    monkeypatch.setenv("LAKEHOUSE_COLLECT_QUEUE_URL", url.replace("/collect", "/none"))
    settings.current.cache_clear()
    for number in range(3):
        event = request(BATCH | {"number": number})
        event["requestContext"]["requestId"] = f"request-{number}"
        assert answered(event)[0] == 200
    assert (len(waiting()), files()) == (3, {})
    assert gather_left(settings.current(), datetime.now(UTC)) == 0  # their messages may be on their way
    objects.put(settings.current().ops_bucket, "collected/strange.json", b"{}")
    assert gather_left(settings.current(), datetime.now(UTC) + timedelta(minutes=6)) == 3
    (text,) = files().values()
    assert [json.loads(line)["body"]["number"] for line in text.splitlines()] == [0, 1, 2]
    assert waiting() == ["strange.json"]
    assert gather_left(settings.current(), datetime.now(UTC) + timedelta(minutes=6)) == 0
    assert gather({"schedule": "gather"}, Context()) == {"requests": 0}


def test_a_call_that_ends_before_it_deletes_loses_nothing(monkeypatch):
    """The requests are found again; a file of the same ones is the same file."""
    handler(request(BATCH), Context())
    call = sent(queued())
    with monkeypatch.context() as patch:
        patch.setattr(gathering, "batches", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            gather(call, Context())
    assert (len(files()), len(waiting())) == (1, 1)
    assert gather_left(settings.current(), datetime.now(UTC) + timedelta(minutes=6)) == 1
    assert (len(files()), len(waiting())) == (1, 0)


def test_a_full_call_takes_its_time(monkeypatch):
    """Two calls at a time write about one file a second, whatever the load."""
    monkeypatch.setattr(gathering.GatherPolicy, "full_bytes", 100)
    handler(request(BATCH), Context())
    slept = []
    gathering.gather(settings.current(), sent(queued())["Records"], slept.append)
    assert 1 < slept[0] <= 2
    assert gathering.gather(settings.current(), [], slept.append) == []
    assert len(slept) == 1
