"""The payloads in events/ are what AWS sends these functions, by the triggers that the template declares."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventV2Model,
    S3Model,
    SnsNotificationModel,
    SqsModel,
)
from hubspot.utils.signature import Signature
from moto.events.models import EventPattern
from pydantic import ValidationError

from lakehouse.landing.announcements import read_message
from lakehouse.landing.consent_request import LANDS_AS
from lakehouse.landing.signatures import Request, verify_hubspot, verify_standard
from lakehouse.local.wiring.template import Wiring, default_path, load

EVENTS = Path(__file__).parents[2] / "events"
Events = dict[tuple[str, str], Any]
Check = Callable[[Wiring, Events], list[str]]

# What the signatures in events/land were made with.
HUBSPOT_SECRET = "hubspot-app-secret"
STANDARD_SECRET = "whsec_c3RhbmRhcmQtd2ViaG9va3Mtc2VjcmV0"
SIGNED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def wiring() -> Wiring:
    return load(default_path(), {"BucketPrefix": "local"})


@pytest.fixture(scope="module")
def events() -> Events:
    """(function, case) → payload."""
    return {
        (path.parent.name, path.stem): json.loads(path.read_text("utf-8")) for path in EVENTS.glob("*/*.json")
    }


def coverage(wiring: Wiring, events: Events) -> list[str]:
    """Each function has an event, each event a function."""
    told = {function for function, _ in events}
    wrong = [f"{name} has no event" for name in wiring.functions.keys() - told]
    return wrong + [f"events/{name} has no function" for name in told - wiring.functions.keys()]


def triggers(wiring: Wiring, events: Events) -> list[str]:
    """Each event parses as what the function's trigger sends, and comes from where the trigger is."""
    queues = {one.function: one.queue_name for one in wiring.mappings}
    routes: dict[str, list[str]] = {}
    for one in wiring.routes:
        routes.setdefault(one.function, []).append(f"{one.method} {one.path}")
    inputs = {one.function: json.loads(one.input) for one in wiring.schedules if one.function}
    wrong = []
    for (function, case), payload in events.items():
        where = f"events/{function}/{case}.json"
        try:
            if function in queues and "Records" in payload:
                wrong += of_queue(where, payload, queues[function])
            elif function in routes:
                wrong += of_route(where, payload, routes[function])
            elif payload != inputs.get(function):
                wrong.append(f"{where} is not the schedule's Input")
        except ValidationError as error:
            wrong.append(f"{where} is not what AWS sends: {error.errors()[0]['loc']}")
    return wrong


def of_queue(where: str, payload: Any, queue: str) -> list[str]:
    wrong = []
    SqsModel.model_validate(payload)
    for record in payload["Records"]:
        if record["eventSourceARN"].rsplit(":", 1)[1] != queue:
            wrong.append(f"{where} does not come from {queue}")
        if hashlib.md5(record["body"].encode()).hexdigest() != record["md5OfBody"]:
            wrong.append(f"{where}: the body is not what its MD5 says")
        if queue.endswith(".fifo") and "MessageGroupId" not in record["attributes"]:
            wrong.append(f"{where}: a FIFO message has a group")
    return wrong


def of_route(where: str, payload: Any, routes: list[str]) -> list[str]:
    APIGatewayProxyEventV2Model.model_validate(payload)
    route = payload["routeKey"]
    method, path = route.split(" ")
    asked = payload["requestContext"]["http"]
    same = (asked["method"], path.format(**payload.get("pathParameters", {}))) == (method, payload["rawPath"])
    came = route in routes and same and asked["path"] == payload["rawPath"]
    return [] if came else [f"{where} did not come by {' or '.join(routes)}"]


def is_notification(body: dict[str, Any]) -> bool:
    """Say whether S3 sends a body to queues and topics that a bucket's notifications name, beside the template."""
    try:
        if "TopicArn" in body:
            SnsNotificationModel.model_validate(body)
            body = json.loads(body["Message"])
        if body.get("Event") == "s3:TestEvent":
            return True
        for record in body["Records"]:
            S3Model.model_validate(
                {"Records": [record | {"eventSource": "aws:s3"}]}
            )  # MinIO has its own name there
    except (ValidationError, KeyError):
        return False
    return True


def bodies(wiring: Wiring, events: Events) -> list[str]:
    """Each message is one that a rule of the template sends there, or one of our own kinds for that queue."""
    queues = {one.function: one.queue_name for one in wiring.mappings}
    request = {"lakehouse_request", "id", "received_at", "source", "call", "ip", "body"}
    ours = {"ingest": {"files"}, "publish": {"sync", "run", "chunk"}, "gather": request}
    wrong = []
    for (function, case), payload in events.items():
        for record in payload.get("Records", []) if function in queues else []:
            body = json.loads(record["body"])
            rules = [
                rule
                for rule in wiring.rules
                if EventPattern.load(json.dumps(rule.pattern)).matches_event(body)
                and queues[function] in {target.queue_name for target in rule.targets}
            ]
            of_s3 = function == "ingest" and is_notification(body)
            if not rules and not of_s3 and set(body) != ours.get(function, {"tick"}):
                wrong.append(f"events/{function}/{case}.json: nothing sends {sorted(body)} to {function}")
    return wrong


def signatures(_: Wiring, events: Events) -> list[str]:
    """Webhooks are signed: HubSpot's own client and the Standard Webhooks formula say so."""
    wrong = []
    for (function, case), one in events.items():
        if function != "land":
            continue
        headers, body = one["headers"], one["body"]
        if "x-hubspot-signature-v3" in headers:
            made = Signature.get_signature(
                client_secret=HUBSPOT_SECRET,
                request_body=body,
                signature_version="v3",
                http_uri=f"https://{headers['host']}{one['rawPath']}",
                http_method=one["requestContext"]["http"]["method"],
                timestamp=headers["x-hubspot-request-timestamp"],
            )
            good = made == headers["x-hubspot-signature-v3"]
        else:
            signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.{body}".encode()
            key = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_"))
            made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            good = headers.get("webhook-signature") == f"v1,{made}"
        wrong += [] if good else [f"events/land/{case}.json is not signed"]
    return wrong


CHECKS: list[Check] = [coverage, triggers, bodies, signatures]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_events_are_what_the_triggers_send(check: Check, wiring: Wiring, events: Events) -> None:
    """Every check holds on every payload."""
    assert check(wiring, events) == []


def record(key: tuple[str, str], **parts: Any) -> Callable[[Events], None]:
    """A mutation of the first record of an event."""
    return lambda events: events[key]["Records"][0].update(parts)


def body(key: tuple[str, str], value: Any) -> Callable[[Events], None]:
    return record(key, body=json.dumps(value))


ORDERS, CHUNK, TICK = ("ingest", "object_created"), ("publish", "chunk"), ("books", "tick")
HOOK = ("land", "hubspot_webhook")
WRONG: list[tuple[Check, Callable[[Events], Any], str]] = [
    (coverage, lambda e: e.pop(CHUNK), "publish has no event"),
    (coverage, lambda e: e.update({("ghost", "x"): {}}), "events/ghost has no function"),
    (
        triggers,
        record(ORDERS, eventSourceARN="arn:aws:sqs:us-east-1:1:local-books.fifo"),
        "does not come from",
    ),
    (triggers, record(ORDERS, body="{}"), "MD5"),
    (triggers, record(ORDERS, messageId=None), "not what AWS sends"),
    (triggers, lambda e: e[TICK]["Records"][0]["attributes"].pop("MessageGroupId"), "has a group"),
    (triggers, lambda e: e[HOOK].update(rawPath="/elsewhere"), "did not come by"),
    (triggers, lambda e: e[HOOK].pop("requestContext"), "not what AWS sends"),
    (triggers, lambda e: e[("sweep", "schedule")].update(extra=1), "Input"),
    (bodies, body(ORDERS, {"source": "aws.s3", "detail-type": "Object Deleted"}), "nothing sends"),
    (bodies, body(CHUNK, {"tick": True}), "nothing sends"),
    (bodies, body(("resolve", "raw_committed"), {"tick": True, "files": []}), "nothing sends"),
    (signatures, lambda e: e[HOOK].update(body="[]"), "not signed"),
    (signatures, lambda e: e[HOOK]["headers"].pop("x-hubspot-signature-v3"), "not signed"),
]


@pytest.mark.parametrize(
    ("check", "mutate", "complaint"), WRONG, ids=[f"{c.__name__}-{t}" for c, _, t in WRONG]
)
def test_a_wrong_event_is_found_out(
    check: Check, mutate: Callable[[Events], Any], complaint: str, wiring: Wiring, events: Events
) -> None:
    """The checks are not asleep: each easy mistake is named."""
    wrong = copy.deepcopy(events)
    mutate(wrong)
    assert any(complaint in told for told in check(wiring, wrong)), check(wiring, wrong)


def test_a_rule_that_moves_leaves_its_events_behind(wiring: Wiring, events: Events) -> None:
    """Events are held against the template itself: a rule with another pattern no longer explains them."""
    moved = copy.deepcopy(wiring)
    for rule in moved.rules:
        rule.pattern["source"] = ["elsewhere"]
    assert "events/resolve/raw_committed.json: nothing sends" in str(bodies(moved, events))


def test_ingest_understands_its_events(events: Events) -> None:
    """Keys are not URL-encoded in EventBridge's S3 events: blanks, plus signs and Chinese are the key itself."""
    (unusual,) = events["ingest", "unusual_key"]["Records"]
    (file,) = read_message(unusual["body"]).files
    assert (file.bucket, file.key) == ("local-landing", "hubspot/contacts/客户 导出 (1)+a&b.csv")
    (listed,) = events["ingest", "files"]["Records"]
    assert [one.is_etag for one in read_message(listed["body"]).files] == [False, True]


def test_land_accepts_the_signatures(events: Events) -> None:
    """Our own verification agrees with the oracles above."""
    for case, verify, secret in (
        ("hubspot_webhook", verify_hubspot, HUBSPOT_SECRET),
        ("standard_webhook", verify_standard, STANDARD_SECRET),
        ("consent_statement", verify_standard, STANDARD_SECRET),
    ):
        one = events["land", case]
        place = one.get("pathParameters", LANDS_AS)
        uri = f"https://{one['headers']['host']}{one['rawPath']}"
        request = Request(place["source"], place["entity"], "POST", uri, one["headers"], one["body"].encode())
        verify([secret], request, SIGNED_AT)
