"""What planner and workers do in the benchmark of publishing, each in a process of its own that loads nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lakehouse import aws, settings
from lakehouse.outbound import log
from lakehouse.outbound.records import Desired, Outcome
from lakehouse.outbound.records import Result as RowResult

if TYPE_CHECKING:
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Run

_TABLE_SECONDS: Final = 0.01  # an answer of DynamoDB
_BATCH: Final = 5  # `BatchSize` of the deployed stack


def work(what: str, name: str, *arguments: str) -> None:
    """Do in a process of its own what one part of the benchmark asks for."""
    if what == "plan":
        print(_plan(name, *map(int, arguments)).to_json())
    elif what == "deliver":
        _deliver()
    else:
        _acknowledge(name)


def _sync(name: str) -> Sync:
    from lakehouse.outbound.definition import Sync  # noqa: PLC0415 - likewise

    return Sync.model_validate(
        {
            "name": name, "destination": "hubspot", "id": {"property": "email", "from": "email"},
            "purpose": "marketing", "channel": "email", "segments": ["vip"],
            "properties": {"lakehouse_segments": "segments"},
        }
    )  # fmt: skip


def _plan(name: str, people: int, version: int = 0) -> Run:
    """Plan what the CRM should hold of so many people; each version says something else of one of them."""
    from lakehouse.outbound import planner  # noqa: PLC0415 - the workers are another function

    desired = (
        Desired(f"c{n:07d}", f"p{n:07d}@example.com", {"lakehouse_segments": _said(n, version)}, consented=True)
        for n in range(people)
    )  # fmt: skip
    if name != "bench":  # the emulator's queue takes seconds a message once ten thousand wait in it
        planner.announce = lambda *_: None
    made = planner.plan_run(
        settings.current(), _sync(name), desired, datetime.now(UTC), {"rows": str(version)}
    )
    assert made is not None
    return made


def _said(number: int, version: int) -> str:
    return f"vip;loyal;{version}" if number == 0 else "vip;loyal"


def _deliver() -> None:
    """Take messages as the event source mapping does and hand them to the function, until no chunk is open."""
    from functions.publish.handler import handler  # noqa: PLC0415 - the planner is another function

    found = settings.current()
    _answer_consent_from_memory(found.consent_table)
    run = log.latest_run(found, "bench")
    assert run is not None
    while True:
        url = found.publish_queue_url
        taken = aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH).get("Messages", [])
        if not taken and not log.open_chunks(found, run):
            return
        if not taken:
            time.sleep(0.2)
            continue
        records = [_record(message) for message in taken]
        left = {
            one["itemIdentifier"] for one in handler({"Records": records}, _Context())["batchItemFailures"]
        }
        done = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(taken)
            if message["MessageId"] not in left
        ]
        if done:
            aws.sqs().delete_message_batch(QueueUrl=url, Entries=done)  # type: ignore[arg-type]


def _answer_consent_from_memory(table: str) -> None:
    """Let reads of the consent table be answered as soon as DynamoDB answers, by what the emulator's table holds.

    The emulator itself needs 30 ms of a processor for the hundred keys of a chunk, which is more than all of `publish`.
    Writes, and the table of limits, stay the emulator's.
    """
    client = aws.dynamodb()
    items = {
        item["pk"]["S"]: item
        for page in client.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
    }
    one, many = client.get_item, client.batch_get_item

    def get_item(**asked: Any) -> Any:
        if asked["TableName"] != table:
            return one(**asked)
        time.sleep(_TABLE_SECONDS)
        found = items.get(asked["Key"]["pk"]["S"])
        return {"Item": found} if found else {}

    def batch_get_item(**asked: Any) -> Any:
        if asked["RequestItems"].keys() != {table}:
            return many(**asked)
        time.sleep(_TABLE_SECONDS)
        names = [key["pk"]["S"] for key in asked["RequestItems"][table]["Keys"]]
        return {"Responses": {table: [items[name] for name in names if name in items]}, "UnprocessedKeys": {}}

    client.get_item, client.batch_get_item = get_item, batch_get_item  # type: ignore[method-assign,assignment]


@dataclass
class _Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "publish"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:publish"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


def _record(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
        "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:publish", "awsRegion": "us-east-1",
    }  # fmt: skip


def _acknowledge(name: str) -> None:
    """Write for each open chunk of the latest run that the CRM took all of it."""
    found = settings.current()
    run = log.latest_run(found, name)
    assert run is not None
    now = datetime.now(UTC).isoformat()

    def write(chunk: str) -> None:
        rows = [
            RowResult(row.row, row.customer_id, row.action, "sent", crm_id=row.customer_id[1:], sent_at=now)
            for row in log.chunk(found, name, run.run, chunk).rows
        ]
        log.write_outcome(found, Outcome(name, run.run, chunk, 1, now, rows))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, log.open_chunks(found, run)))
