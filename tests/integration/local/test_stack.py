"""The embedded stack, with its real parts: SeaweedFS, moto, threads and signals."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import threading
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
import httpx
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lakehouse import aws, settings
from lakehouse.errors import Terminal
from lakehouse.landing.probe import PREFIX, probe
from lakehouse.local.attachment import attach
from lakehouse.local.policy import PollerPolicy
from lakehouse.local.stack import Stack
from tests.support.small_stack import FUNCTIONS, LANDING, OPS, Functions, a_wiring, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    recorder = ModuleType("stack_recorder")
    recorder.FUNCTIONS = Functions()  # type: ignore[attr-defined]
    folder = tmp_path_factory.mktemp("functions")
    (folder / "stack_functions").mkdir()
    for name in FUNCTIONS:
        text = f"""
            from stack_recorder import FUNCTIONS
            def handler(event, context):
                return FUNCTIONS.called({name!r}, event)
            """
        (folder / "stack_functions" / f"{name}.py").write_text(textwrap.dedent(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "stack_recorder", recorder)
        patch.syspath_prepend(folder)
        yield recorder.FUNCTIONS
    for name in [n for n in sys.modules if n.startswith("stack_functions")]:
        del sys.modules[name]


def environment() -> dict[str, str]:
    """Return the environment without what pytest itself changes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, functions: Functions) -> Iterator[Stack]:
    before, threads = environment(), threading.active_count()
    with Stack(tmp_path_factory.mktemp("stack"), wiring=a_wiring()) as stack:
        stack.start()
        stack.run()
        yield stack
    assert environment() == before
    assert threading.active_count() < threads + 10  # those of tests before are theirs


def url(name: str) -> str:
    return aws.sqs().get_queue_url(QueueName=name)["QueueUrl"]


def visible(name: str) -> int:
    answer = aws.sqs().get_queue_attributes(QueueUrl=url(name), AttributeNames=["All"])
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def left(name: str) -> int:
    """Return how many messages a queue holds, seen or unseen."""
    answer = aws.sqs().get_queue_attributes(QueueUrl=url(name), AttributeNames=["All"])["Attributes"]
    return int(answer["ApproximateNumberOfMessages"]) + int(answer["ApproximateNumberOfMessagesNotVisible"])


def created(functions: Functions, key: str) -> list[dict[str, Any]]:
    """Return the S3 events of an object."""
    events = [json.loads(record["body"]) for record in functions.records("objects")]
    return [event for event in events if event["detail"]["object"]["key"] == key]


@pytest.mark.parametrize(
    "key",
    [
        "shop/orders/2026/orders.csv",
        "shop/orders/订单 十一月%20(1)+&=?#.csv",
        "shop/orders/a.versions/v_6715d6093e1d37709ef7b994f9cdce96",
    ],
)
def test_an_object_that_anybody_puts_reaches_the_function_that_its_rule_names(
    stack: Stack, functions: Functions, key: str
) -> None:
    """Whoever wrote it, with whatever key: key, size, ETag and version id are those of the object."""
    assert stack.info is not None
    somebody = boto3.client(
        "s3",
        endpoint_url=stack.info.endpoints["s3"],
        aws_access_key_id=stack.info.secrets["access_key"],
        aws_secret_access_key=stack.info.secrets["secret_key"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    put = somebody.put_object(Bucket=LANDING, Key=key, Body=b"hello")
    (event,) = until(lambda: created(functions, key), seconds=20)
    assert event["source"] == "aws.s3"
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["bucket"] == {"name": LANDING}
    announced = event["detail"]["object"]
    assert announced["size"] == 5
    assert announced["etag"] == put["ETag"].strip('"')
    assert announced["version-id"] == put["VersionId"]
    head = somebody.head_object(Bucket=LANDING, Key=announced["key"], VersionId=announced["version-id"])
    assert head["ContentLength"] == 5


def test_an_object_written_twice_is_told_twice_in_order(stack: Stack, functions: Functions) -> None:
    """Each version is announced once; the sequencer of the later one is greater."""
    versions = [
        aws.s3().put_object(Bucket=LANDING, Key="twice", Body=body)["VersionId"] for body in (b"1", b"22")
    ]
    until(lambda: len(created(functions, "twice")) == 2, seconds=20)
    announced = sorted(
        (e["detail"]["object"] for e in created(functions, "twice")), key=lambda o: o["sequencer"]
    )
    assert [o["version-id"] for o in announced] == versions
    assert [o["size"] for o in announced] == [1, 2]
    assert announced[0]["sequencer"] < announced[1]["sequencer"]


def test_an_upload_in_parts_is_one_event_of_the_whole(stack: Stack, functions: Functions) -> None:
    """The parts are no event, the completed object is one, with its full size."""
    s3 = aws.s3()
    upload = s3.create_multipart_upload(Bucket=LANDING, Key="in parts")["UploadId"]
    parts = []
    for number, body in ((1, b"a" * (5 << 20)), (2, b"b")):
        part = s3.upload_part(Bucket=LANDING, Key="in parts", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    whole = s3.complete_multipart_upload(
        Bucket=LANDING, Key="in parts", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    until(lambda: created(functions, "in parts"), seconds=20)
    s3.put_object(Bucket=LANDING, Key="after the parts", Body=b"")
    until(lambda: created(functions, "after the parts"), seconds=20)
    (event,) = created(functions, "in parts")
    assert event["detail"]["object"]["size"] == (5 << 20) + 1
    assert event["detail"]["object"]["etag"] == whole["ETag"].strip('"')


def test_only_new_objects_of_the_told_buckets_are_events(stack: Stack, functions: Functions) -> None:
    """Deleting, tagging, another bucket: silence."""
    aws.s3().put_object(Bucket=OPS, Key="silent", Body=b"1")
    aws.s3().put_object(Bucket=LANDING, Key="deleted", Body=b"1")
    aws.s3().delete_object(Bucket=LANDING, Key="deleted")
    aws.s3().put_object(Bucket=LANDING, Key="the last", Body=b"1")
    until(lambda: created(functions, "the last"), seconds=20)
    assert len(created(functions, "deleted")) == 1
    assert created(functions, "silent") == []


def test_a_batch_gathers_within_its_window_and_arrives_soon(stack: Stack, functions: Functions) -> None:
    """Twenty-five messages within the window are one call, in the shape of Lambda's SQS event."""
    for start in range(0, 25, 5):
        entries = [{"Id": str(n), "MessageBody": f"gather-{start + n}"} for n in range(5)]
        aws.sqs().send_message_batch(QueueUrl=url("batches"), Entries=entries)  # type: ignore[arg-type]
    until(lambda: len(functions.records("batches")) >= 25)
    calls = [e["Records"] for name, e, _ in functions.calls if name == "batches"]
    assert sorted(r["body"] for r in calls[-1]) == sorted(f"gather-{n}" for n in range(25))
    record = calls[-1][0]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":batches")
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert set(record) >= {"messageId", "receiptHandle", "md5OfBody", "messageAttributes"}
    until(lambda: left("batches") == 0)


def test_a_lone_message_arrives_within_half_a_second(stack: Stack, functions: Functions) -> None:
    """Without a window nothing waits for company."""
    sent = time.monotonic()
    aws.sqs().send_message(
        QueueUrl=url("objects"), MessageBody=json.dumps({"detail": {"object": {"key": "lone"}}})
    )
    until(lambda: created(functions, "lone"))
    arrived = next(
        t for name, e, t in functions.calls if name == "objects" and "lone" in e["Records"][0]["body"]
    )
    assert arrived - sent < 0.5


def test_what_a_call_reports_as_failed_comes_back_alone(stack: Stack, functions: Functions) -> None:
    """Partial batch responses: the good ones are deleted, the bad one is received again."""

    def fail_once(event: Any) -> Any:
        bad = [r for r in event["Records"] if r["body"] == "bad" and _receives(r) == 1]
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in bad]}

    functions.do["batches"] = fail_once
    bodies = ("good-1", "bad", "good-2")
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
    aws.sqs().send_message_batch(QueueUrl=url("batches"), Entries=entries)  # type: ignore[arg-type]
    until(lambda: len([r for r in functions.records("batches") if r["body"] == "bad"]) == 2)
    until(lambda: left("batches") == 0)
    assert [r["body"] for r in functions.records("batches") if r["body"].startswith("good-")] in (
        [["good-1", "good-2"], ["good-2", "good-1"]]
    )


def _receives(record: dict[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def test_a_message_that_always_fails_ends_in_the_dlq(stack: Stack, functions: Functions) -> None:
    """A handler that raises fails its whole batch; after maxReceiveCount it is the DLQ's."""

    def raises(_: Any) -> Any:
        raise ValueError("always")

    functions.do["dead"] = raises
    aws.sqs().send_message(QueueUrl=url("dead"), MessageBody="poison")
    until(lambda: visible("dead-dlq") == 1, seconds=15)
    assert [_receives(r) for r in functions.records("dead")] == [1, 2]
    assert left("dead") == 0
    log = (stack.folder / "logs" / "functions.log").read_text()
    assert "ValueError" in log
    assert "always" not in log  # an error's text may quote a row


def test_a_fifo_queue_gives_one_group_at_a_time_in_order(
    stack: Stack, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No two calls at once, each of one group, its messages in the order they were sent."""
    monkeypatch.setattr(PollerPolicy, "fifo_rest_seconds", 0.1)
    running = []
    overlaps = []

    def slowly(event: Any) -> None:
        running.append(event)
        overlaps.append(len(running))
        time.sleep(0.02)
        running.remove(event)

    functions.do["ordered"] = slowly
    for n in range(12):
        group = "ab"[n % 2]
        aws.sqs().send_message(QueueUrl=url("ordered.fifo"), MessageBody=f"{group}{n}", MessageGroupId=group)
    until(lambda: len(functions.records("ordered")) == 12)
    assert set(overlaps) == {1}
    calls = [e["Records"] for name, e, _ in functions.calls if name == "ordered"]
    assert all(len({r["attributes"]["MessageGroupId"] for r in records}) == 1 for records in calls)
    for group in "ab":
        bodies = [r["body"] for r in functions.records("ordered") if r["body"].startswith(group)]
        assert bodies == sorted(bodies, key=lambda body: int(body[1:]))


def test_schedules_run_when_the_stack_starts(stack: Stack, functions: Functions) -> None:
    """What was lost while the stack was down is looked for at once."""
    assert until(lambda: [e for name, e, _ in functions.calls if name == "clock"]) == [{"tick": True}]


def test_a_request_becomes_an_api_gateway_payload_and_back(stack: Stack, functions: Functions) -> None:
    """Path variables, query and body arrive; status, headers and body return; binary stays what it is."""
    functions.do["web"] = lambda e: {
        "statusCode": 202,
        "headers": {"x-source": quote(e["pathParameters"]["source"])},
        "body": json.dumps({"route": e["routeKey"], "query": e["queryStringParameters"], "body": e["body"]}),
    }
    assert stack.info is not None
    base = stack.info.endpoints["http"]
    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"{base}/land/hub%20spot/contacts?a=1&a=2", json={"name": "王"})
        assert answer.status_code == 202
        assert answer.headers["x-source"] == "hub%20spot"
        assert answer.json()["route"] == "POST /land/{source}/{entity}"
        assert answer.json()["query"] == {"a": "1,2"}
        assert json.loads(answer.json()["body"]) == {"name": "王"}
        assert client.get(f"{base}/land/hubspot/contacts").status_code == 404
        assert client.post(f"{base}/land/a/b/c").json() == {"message": "Not Found"}
        functions.do["dead"] = lambda _: 1 / 0
        broken = client.get(f"{base}/broken")
        assert (broken.status_code, broken.json()) == (500, {"message": "Internal Server Error"})
        assert client.post(f"{base}/land/a/b", content=b"x" * (7 << 20)).status_code == 413


def test_every_listener_is_on_the_loopback(stack: Stack) -> None:
    """Nothing of a laptop's stack can be reached from outside, and nothing of it talks to the outside."""
    ours = psutil.Process()
    listening = 0
    for process in (ours, *ours.children(recursive=True)):
        for connection in process.net_connections(kind="inet"):
            assert connection.laddr.ip in {"127.0.0.1", "::1"}, connection
            assert not connection.raddr or connection.raddr.ip in {"127.0.0.1", "::1"}, connection
            listening += connection.status == psutil.CONN_LISTEN
    assert listening >= 12


def test_the_store_keeps_conditional_writes_and_no_bucket_is_made_by_mistake(stack: Stack) -> None:
    """A claim has one winner, and a misspelt bucket is an error as it is on S3."""
    probe(OPS, racers=4)
    assert "Versions" not in aws.s3().list_object_versions(Bucket=OPS, Prefix=PREFIX)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        aws.s3().put_object(Bucket="misspelt", Key="k", Body=b"")


def test_a_second_stack_on_the_folder_is_refused(stack: Stack) -> None:
    """Two stacks on one folder would ruin it: the second learns who is first and what to do."""
    with pytest.raises(Terminal, match=rf"process {os.getpid()}.*lakehouse down --data"):
        Stack(stack.folder, wiring=a_wiring()).start()


def test_another_process_finds_the_running_stack(stack: Stack) -> None:
    """`stack.json` has endpoints and keys, for nobody but its owner."""
    info = attach(stack.folder)
    assert info is not None
    assert info.services == "all"
    assert set(info.endpoints) == {"s3", "iceberg", "aws", "hubspot", "http"}
    assert info.env["AWS_ENDPOINT_URL_S3"] == info.endpoints["s3"]
    assert (stack.folder / "stack.json").stat().st_mode & 0o777 == 0o600
    assert settings.current().landing_bucket == LANDING
