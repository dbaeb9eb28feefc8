"""What the template asks for comes into being on real services: queues, rules, tables, secrets, buckets."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import aws
from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import provision
from lakehouse.local.wiring.template import Queue, Target, Wiring, default_path, load

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = {"lakehouse/webhook": '{"default": ["whsec_x"]}', "lakehouse/hubspot": '{"token": "t"}'}


def asked(prefix: str) -> Wiring:
    """The template under names of its own, so that tests do not meet on the one server."""
    return load(default_path(), {"BucketPrefix": prefix})


@pytest.fixture(scope="module", autouse=True)
def moto() -> Iterator[None]:
    """A moto server of our own, and clients that speak to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
            patch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            aws.forget_clients()
            yield
    finally:
        aws.forget_clients()
        server.kill()
        server.wait()


def attributes(url: str) -> dict[str, str]:
    return aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def received(url: str) -> list[dict[str, Any]]:
    """All messages that wait in a queue, with their attributes."""
    found: list[dict[str, Any]] = []
    while (
        more := aws.sqs()
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], WaitTimeSeconds=0)
        .get("Messages")
    ):
        found += more
    return found


def announce(source: str, kind: str, detail: dict[str, Any]) -> None:
    entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
    assert aws.events().put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_queues_are_as_the_template_says() -> None:
    """Every queue has its attributes, and a redrive policy that names a queue that exists."""
    wiring = asked("queues")
    made = provision.create(wiring, secrets=SECRETS)
    assert set(made.queue_urls) == {queue.name for queue in wiring.queues}
    for queue in wiring.queues:
        has = attributes(made.queue_urls[queue.name])
        assert {name: has[name] for name in queue.attributes} == queue.attributes
        if queue.dlq:
            redrive = json.loads(has["RedrivePolicy"])
            assert redrive["deadLetterTargetArn"] == attributes(made.queue_urls[queue.dlq])["QueueArn"]
            assert redrive["maxReceiveCount"] == 5


def test_events_reach_the_queues_that_the_rules_name() -> None:
    """A new object goes to ingest, a raw commit to resolve and books (in one group), one to ops nowhere."""
    made = provision.create(asked("events"), secrets=SECRETS)
    url = {name.removeprefix("events-"): value for name, value in made.queue_urls.items()}
    created = {"bucket": {"name": "events-landing"}, "object": {"key": "shop/orders/客户 1.csv", "size": 1}}
    announce("aws.s3", "Object Created", created)
    announce("aws.s3", "Object Created", {**created, "bucket": {"name": "events-ops"}})
    for table in ("raw.shop_orders", "core.identities", "marts.customer_360", "ops.ingest_ledger"):
        announce("lakehouse", "TableCommitted", {"table": table, "snapshot_id": "1"})

    (message,) = received(url["ingest"])
    body = json.loads(message["Body"])
    assert (body["source"], body["detail-type"], body["detail"]) == ("aws.s3", "Object Created", created)
    tables = {
        name: [json.loads(one["Body"])["detail"]["table"] for one in received(url[name])]
        for name in ("resolve", "aggregate", "export", "publish")
    }
    assert tables == {
        "resolve": ["raw.shop_orders"],
        "aggregate": ["core.identities"],
        "export": ["marts.customer_360"],
        "publish": [],
    }
    (book,) = received(url["books.fifo"])
    assert book["Attributes"]["MessageGroupId"] == "books"
    assert json.loads(book["Body"])["detail"]["table"] == "raw.shop_orders"


def test_what_the_event_bus_here_would_ignore_is_refused() -> None:
    """moto takes a target's Input and sends the event all the same: better to say so at the start."""
    wiring = asked("input")
    rules = [replace(rule, targets=[Target("input-resolve", None, "{}")]) for rule in wiring.rules]
    with pytest.raises(BadDefinition, match="does not do a target's Input"):
        provision.create(replace(wiring, rules=rules), secrets={})


def test_a_message_that_keeps_failing_moves_to_the_dead_letter_queue() -> None:
    """After five receptions the sixth finds nothing, and the message waits where the alarm looks."""
    made = provision.create(asked("poison"), secrets=SECRETS)
    aws.sqs().send_message(QueueUrl=made.queue_urls["poison-publish"], MessageBody="{}")
    for _ in range(6):
        aws.sqs().receive_message(QueueUrl=made.queue_urls["poison-publish"], VisibilityTimeout=0)
    assert [one["Body"] for one in received(made.queue_urls["poison-publish-dlq"])] == ["{}"]


def test_tables_secrets_and_environment() -> None:
    """The consent table expires its items; secrets hold their values; the environment names what exists."""
    made = provision.create(asked("rest"), secrets=SECRETS)
    ttl = aws.dynamodb().describe_time_to_live(TableName="rest-consent")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    aws.dynamodb().put_item(TableName="rest-consent", Item={"pk": {"S": "c#1"}})
    assert aws.secrets().get_secret_value(SecretId="lakehouse/hubspot")["SecretString"] == '{"token": "t"}'
    url = made.environment["LAKEHOUSE_INGEST_QUEUE_URL"]
    assert attributes(url)["QueueArn"].endswith(":rest-ingest")
    assert made.environment["LAKEHOUSE_CONSENT_TABLE"] == "rest-consent"


def test_making_it_twice_changes_nothing() -> None:
    """The same again, queues with their messages included; new values of secrets are taken."""
    wiring = asked("twice")
    first = provision.create(wiring, secrets=SECRETS)
    aws.sqs().send_message(QueueUrl=first.queue_urls["twice-ingest"], MessageBody="kept")
    second = provision.create(wiring, secrets={**SECRETS, "lakehouse/hubspot": '{"token": "new"}'})
    assert second == first
    assert [one["Body"] for one in received(first.queue_urls["twice-ingest"])] == ["kept"]
    assert aws.secrets().get_secret_value(SecretId="lakehouse/hubspot")["SecretString"] == '{"token": "new"}'
    targets = aws.events().list_targets_by_rule(Rule="twice-raw-committed")["Targets"]
    assert len(targets) == 2


def test_what_half_exists_is_completed() -> None:
    """A start that was cut off, or an older template, leaves parts that are brought up to date."""
    wiring = asked("half")
    sqs = aws.sqs()
    sqs.create_queue(QueueName="half-ingest", Attributes={"VisibilityTimeout": "7"})
    sqs.create_queue(QueueName="half-books.fifo", Attributes={"FifoQueue": "true"})
    aws.dynamodb().create_table(
        TableName="half-consent",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    rule = next(rule for rule in wiring.rules if rule.name == "half-core-committed")
    older = replace(rule, targets=[*rule.targets, Target("half-export", None)])
    provision.create(replace(wiring, rules=[older], tables=[], secrets=[]), secrets={})

    made = provision.create(wiring, secrets=SECRETS)
    assert attributes(made.queue_urls["half-ingest"])["VisibilityTimeout"] == "2100"
    assert "RedrivePolicy" in attributes(made.queue_urls["half-ingest"])
    assert attributes(made.queue_urls["half-books.fifo"])["ContentBasedDeduplication"] == "true"
    ttl = aws.dynamodb().describe_time_to_live(TableName="half-consent")["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"
    (target,) = aws.events().list_targets_by_rule(Rule="half-core-committed")["Targets"]
    assert target["Arn"].endswith(":half-aggregate")


def test_a_secret_that_the_template_does_not_know_is_refused() -> None:
    """A misspelt name would leave the real secret empty."""
    with pytest.raises(BadDefinition, match="no secret lakehouse/hubspto"):
        provision.create(asked("secret"), secrets={"lakehouse/hubspto": "{}"})


def test_functions_that_differ_in_their_environment_are_refused() -> None:
    """All functions share the laptop's one process, so a variable has one value."""
    wiring = asked("differ")
    land = wiring.functions["land"]
    other = replace(land, variables={**land.variables, "LAKEHOUSE_OPS_BUCKET": "another"})
    with pytest.raises(BadDefinition, match="LAKEHOUSE_OPS_BUCKET"):
        provision.create(replace(wiring, functions={**wiring.functions, "land": other}), secrets={})


def test_a_queue_that_cannot_be_made_is_not_passed_over() -> None:
    """What the service refuses stops the start."""
    bad = Queue("Bad", "bad name!", fifo=False, attributes={}, dlq=None, max_receive=0)
    with pytest.raises(aws.sqs().exceptions.ClientError):
        provision.create(replace(asked("bad"), queues=[bad], rules=[]), secrets={})


def test_buckets_are_versioned_and_the_lake_is_left_to_its_store() -> None:
    """Also a second time; Iceberg's bucket belongs to the store that serves the catalog."""
    wiring = asked("buckets")
    for _ in range(2):
        provision.create_buckets(wiring)
    names = {bucket["Name"] for bucket in aws.s3().list_buckets()["Buckets"]}
    assert {name for name in names if name.startswith("buckets-")} == {"buckets-landing", "buckets-ops"}
    for name in ("buckets-landing", "buckets-ops"):
        assert aws.s3().get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
