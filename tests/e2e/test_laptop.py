"""The stack as a person uses it: `lakehouse up` in one shell, everything else from another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

import lakehouse
from lakehouse.local.attachment import StackInfo, attach
from lakehouse.sample import purchases
from tests.support.running_stack import count, run, status_here, until, up

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("laptop") / "lake"
    with up(folder):
        yield folder


def info(data: Path) -> StackInfo:
    found = attach(data)
    assert found is not None
    return found


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, asked as a person would."""
    con = lakehouse.connect(data)
    try:
        return con.execute(query).fetchall()
    finally:
        con.close()


def events(number: int) -> tuple[str, str]:
    """Return a user id and NDJSON lines of that user's events."""
    user = uuid.uuid4().hex
    lines = [
        json.dumps(
            {
                "messageId": f"{user}-{n}",
                "type": "track",
                "event": "Product Viewed",
                "userId": user,
                "timestamp": "2026-05-01T10:00:00Z",
            }
        )
        for n in range(number)
    ]
    return user, "\n".join(lines) + "\n"


def test_a_plain_put_is_in_the_table_within_ten_seconds(data: Path) -> None:
    """Whoever writes the object, with whatever key: its rows are there without any further command."""
    user, lines = events(7)
    env = info(data).env
    s3 = boto3.client(
        "s3",
        endpoint_url=env["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    s3.put_object(
        Bucket=env["LAKEHOUSE_LANDING_BUCKET"], Key="web/events/五月 1/用户 a+b%20.ndjson", Body=lines
    )
    until(lambda: count(data, "raw.events", f"user_id = '{user}'") == 7, 10)
    assert rows(data, f"SELECT count(*) FROM raw.events WHERE user_id = '{user}'") == [(7,)]


def test_put_lands_a_file_once(data: Path, tmp_path: Path) -> None:
    """`lakehouse put` twice: the rows are there within ten seconds, and once."""
    user, lines = events(5)
    file = tmp_path / "clicks.ndjson"
    file.write_text(lines)
    assert json.loads(run("put", "web/events", file, "--data", data, "--json"))[0]["fresh"] is True
    until(lambda: count(data, "raw.events", f"user_id = '{user}'") == 5, 10)
    assert json.loads(run("put", "web/events", file, "--data", data, "--json"))[0]["fresh"] is False
    assert count(data, "raw.events", f"user_id = '{user}'") == 5


def test_status_and_sql_use_the_running_stack(data: Path) -> None:
    """Both answer while it runs, in JSON for machines, and leave it running."""
    found = json.loads(run("status", "--data", data, "--json"))
    assert found["ingest"]["balanced"] is True
    assert json.loads(run("sql", "select 1 as one", "--data", data, "--json")) == [{"one": 1}]
    assert attach(data) is not None


def test_a_model_dropped_into_the_definitions_is_a_table(data: Path, tmp_path: Path) -> None:
    """Seen while the stack runs, with its columns; a mistake in it is told, and nothing else stops for it."""
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "order_id,customer_id,ordered_at,quantity,amount,currency\nO1,C1,2026-01-05,1,10.00,USD\n"
    )
    run("put", "shop/orders", orders, "--data", data)
    run("models", "new", "marts.regulars", "--data", data)
    assert "1 of 1 tests passed" in run("models", "test", "marts.regulars", "--data", data)
    file = data / "definitions/models/marts/regulars.sql"
    file.write_text(file.read_text("utf-8").replace("orders > 1", "orders > 0"), "utf-8")
    until(lambda: count(data, "marts.regulars", "orders = 1 and revenue = 10") == 1, 60)
    file.write_text(file.read_text("utf-8").replace("SELECT customer_id", "SELECT customr_id"), "utf-8")
    wrong = json.loads(run("status", "--data", data, "--json"))["definitions"]
    assert [(each["kind"], each["name"]) for each in wrong] == [("model", "marts.regulars")]
    assert "yields customr_id, which `columns` does not name; did you mean customer_id?" in wrong[0]["reason"]
    assert count(data, "marts.regulars", "orders = 1") == 1
    file.unlink()


def test_a_wrong_signature_stores_nothing(data: Path) -> None:
    """401, and the landing bucket is as it was; the right signature becomes a row."""
    front = info(data).endpoints["http"]
    change = [{"eventId": 1, "subscriptionType": "contact.creation", "objectId": 5, "occurredAt": 1}]
    body = json.dumps(change).encode()
    before = json.loads(run("status", "--data", data, "--json"))["ingest"]["files"]
    url = f"{front}/land/hubspot/webhooks"
    stamp = str(int(datetime.now(UTC).timestamp() * 1000))
    headers = {
        "X-HubSpot-Request-Timestamp": stamp,
        "X-HubSpot-Signature-v3": base64.b64encode(b"wrong" * 6).decode(),
    }
    assert httpx.post(url, content=body, headers=headers).status_code == 401
    assert json.loads(run("status", "--data", data, "--json"))["ingest"]["files"] == before

    secret = hubspot_secret(info(data))
    signed = b"POST" + url.encode() + body + stamp.encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    headers["X-HubSpot-Signature-v3"] = base64.b64encode(digest).decode()
    assert httpx.post(url, content=body, headers=headers).status_code == 200
    until(lambda: count(data, "raw.hubspot_webhooks", "object_id = '5'") == 1, 10)


def hubspot_secret(found: StackInfo) -> str:
    secrets = boto3.client(
        "secretsmanager",
        endpoint_url=found.env["AWS_ENDPOINT_URL"],
        aws_access_key_id="any",
        aws_secret_access_key="any",
        region_name="us-east-1",
    )
    text = secrets.get_secret_value(SecretId=found.env["LAKEHOUSE_WEBHOOK_SECRET"])["SecretString"]
    kept = json.loads(text)
    return str((kept.get("hubspot") or kept["default"])[0])


def test_killed_in_the_middle_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """kill -9 while files are being loaded, then `lakehouse up` again: all rows, each once, and the books balance."""
    data, folder = tmp_path / "lake", tmp_path / "sample"
    folder.mkdir()
    files = purchases.write(folder, customers=800)
    with up(data, "--as-of", "1998-06-30") as process:
        for file in files:
            run_put(info(data), file)
        until(lambda: count(data, "raw.shop_orders", "true"), 30)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    with up(data):
        # 35 s alone; what counts is what is there
        until(lambda: settled(status_here(data), len(files)), 240, pause=1)
        found = status(data)
        for table in ("raw.shop_orders", "raw.events", "raw.hubspot_contacts"):
            everything, distinct = rows(
                data, f"SELECT count(*), count(DISTINCT (_file_id, _row)) FROM {table}"
            )[0]
            assert everything == distinct > 0
    assert found["ingest"]["balanced"] is True
    assert found["ingest"]["received"] == sum(file.rows for file in files)
    assert found["deliveries"]["hubspot_segments"]["balanced"] is True


def settled(found: dict[str, Any], files: int) -> dict[str, Any] | None:
    """Return the status once every file is in and every chunk has an outcome."""
    ingest, sent = found["ingest"], found["deliveries"].get("hubspot_segments", {"in_flight": 1})
    return found if ingest["files"] == files and not ingest["in_flight"] and not sent["in_flight"] else None


def run_put(found: StackInfo, file: purchases.SampleFile) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=found.env["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=found.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found.env["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    key = f"{file.source}/{file.entity}/{file.path.name}"
    s3.put_object(Bucket=found.env["LAKEHOUSE_LANDING_BUCKET"], Key=key, Body=file.path.read_bytes())


def status(data: Path) -> dict[str, Any]:
    """Return what `lakehouse status` says."""
    found: dict[str, Any] = json.loads(run("status", "--data", data, "--json"))
    return found
