"""Ingest against DuckDB's own partitioned COPY: the same files, the same object store, in turns."""

from __future__ import annotations

import gzip
import json
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import Result
from lakehouse import aws, settings
from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.ingest.batch import ingest
from lakehouse.landing.files import RawFile, listing
from lakehouse.local.stack import Stack
from lakehouse.settings import Settings
from lakehouse.tables import catalog

_ROUNDS = 3
_FILES = 12
_DAYS = 30


def measure(*, quick: bool) -> list[Result]:
    """Return rows per second of ingest over those of a plain COPY, for events and for orders."""
    rows = 30_000 if quick else 300_000
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start("store")
        os.environ["POWERTOOLS_LOG_LEVEL"] = "ERROR"
        found = settings.current()
        return [
            _compare(found, "web/events", "NDJSON, gzip", rows, _events, _copy_events),
            _compare(found, "shop/orders", "CSV", rows, _orders, _copy_orders),
        ]


def _compare(
    found: Settings,
    place: str,
    kind: str,
    rows: int,
    write: Callable[[int, random.Random], bytes],
    copy: Callable[[str], str],
) -> Result:
    chance = random.Random(1997)
    for number in range(_FILES):
        body = write(rows // _FILES, chance)
        aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/bench/{number:03}", Body=body)
    files = list(listing(found.landing_bucket, f"{place}/"))
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        theirs.append(_timed(lambda: _plain(found, copy(f"s3://{found.landing_bucket}/{place}/bench/*"))))
        ours.append(_timed(lambda: _ingest(found, files, rows)))
    ratio = statistics.median(theirs) / statistics.median(ours)
    speed = rows / statistics.median(ours)
    what = f"ingest of {rows:,} rows of {place} ({kind}, {_FILES} files), rows/s over plain partitioned COPY"
    return Result(
        what, ratio, "×", note=f"{speed:,.0f} rows/s against {rows / statistics.median(theirs):,.0f}"
    )


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ingest(found: Settings, files: list[RawFile], rows: int) -> None:
    lake = catalog.open_catalog(found)
    for name in catalog.table_names(lake):
        lake.drop_table(name)
    loaded = sum(record.loaded for record in ingest(found, files).records)
    if loaded != rows // _FILES * _FILES:
        raise AssertionError(f"{loaded} of {rows} rows loaded")


def _plain(found: Settings, query: str) -> None:
    con = duck.connect(found, iceberg=False)
    target = f"s3://{found.ops_bucket}/bench/{uuid.uuid4()}"
    con.execute(f"COPY ({query}) TO {literal(target)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (p))")
    con.close()


def _copy_events(path: str) -> str:
    columns = (
        "{messageId: 'VARCHAR', type: 'VARCHAR', event: 'VARCHAR', userId: 'VARCHAR', anonymousId: 'VARCHAR', "
        "timestamp: 'TIMESTAMPTZ', properties: 'JSON', context: 'JSON'}"
    )
    return (
        f"SELECT *, CAST(timestamp AS DATE) AS p FROM read_json({literal(path)}, format='newline_delimited', "
        f"compression='gzip', columns={columns})"
    )


def _copy_orders(path: str) -> str:
    columns = (
        "{order_id: 'VARCHAR', customer_id: 'VARCHAR', ordered_at: 'TIMESTAMPTZ', quantity: 'BIGINT', "
        "amount: 'DECIMAL(12,2)', currency: 'VARCHAR', store: 'VARCHAR'}"
    )
    scan = f"read_csv({literal(path)}, header=true, columns={columns})"
    return f"SELECT *, date_trunc('month', ordered_at) AS p FROM {scan}"


def _events(rows: int, chance: random.Random) -> bytes:
    lines = [
        json.dumps(
            {
                "messageId": f"{chance.getrandbits(128):032x}",
                "type": "track",
                "event": chance.choice(("Product Viewed", "Product Added", "Order Completed")),
                "userId": f"u{chance.randrange(50_000)}",
                "anonymousId": f"{chance.getrandbits(64):016x}",
                "timestamp": f"2026-05-{chance.randrange(1, _DAYS + 1):02}T{chance.randrange(24):02}:10:00.000Z",
                "properties": {"sku": f"s{chance.randrange(900)}", "price": chance.randrange(9_999) / 100},
                "context": {"page": {"url": "https://shop.example.com/p", "path": "/p"}, "locale": "zh-CN"},
            }
        )
        for _ in range(rows)
    ]
    return gzip.compress("\n".join(lines).encode() + b"\n", 1)


def _orders(rows: int, chance: random.Random) -> bytes:
    lines = ["order_id,customer_id,ordered_at,quantity,amount,currency,store"]
    lines += [
        f"{chance.getrandbits(64):016x},C{chance.randrange(50_000)},2026-{chance.randrange(1, 13):02}-03,"
        f"{chance.randrange(1, 9)},{chance.randrange(99_999) / 100:.2f},CNY,online"
        for _ in range(rows)
    ]
    return ("\n".join(lines) + "\n").encode()
