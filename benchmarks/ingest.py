"""Ingest against DuckDB's own partitioned, sorted COPY and against dlt: the same files, in turns.

The plain COPY is the least that any loader must do. The second one also says of each row from which file it came and
where it stood there, without which nothing can be counted once.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import statistics
import string
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from benchmarks import peers
from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse import aws, settings
from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import RawFile, listing
from lakehouse.local.stack import Stack
from lakehouse.settings import Settings
from lakehouse.stages.ingest import ingest_records
from lakehouse.tables import catalog

_ROUNDS = 5
_COLUMNS = 40
_FEW = 5_000  # events that dlt upserts: 25,000 take it minutes
_MEMORY_MB = 1_024  # of the function that loads the large file


@contextmanager
def running_stack() -> Iterator[tuple[Settings, Path]]:
    """Give the settings of a running stack, whose functions do not run, and a folder to work in."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "lake") as stack:
        stack.start()
        yield settings.current(), Path(folder)


def events(*, quick: bool) -> list[Result]:
    """Compare with both COPYs, and with dlt from and to the same store."""
    rows, place, count = 100_000 if quick else 1_000_000, "web/events", 40
    with running_stack() as (found, folder):
        bodies = [gzip.compress(_event_lines(rows // count, number), 6) for number in range(count)]
        for number, body in enumerate(bodies):
            aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/bench/{number:03}.gz", Body=body)
        path = f"s3://{found.landing_bucket}/{place}/bench/*"
        what = f"{rows:,} events, {count} gzip NDJSON files"
        results, ours = _compare(
            found, place, what, rows, 0.5, lambda placed: _copy_events(path, placed=placed)
        )
        few = _event_lines(_FEW, count)
        aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/few/0.gz", Body=gzip.compress(few))
        appended = _dlt(found, folder, "append", f"{place}/bench")
        upserted = _dlt(found, folder, "upsert", f"{place}/few")
    speed, note = rows / ours, f"dlt {appended:.0f} s; it neither looks for duplicates nor sorts"
    return [
        *results,
        Result(f"{what}, speed over dlt 1.31's append", speed / (rows / appended), "×", None, note=note),
        Result(
            f"the same over dlt 1.31's upsert, which leaves one row a message, of {_FEW:,} events",
            speed / (_FEW / upserted),
            "×",
            15,
            note=f"dlt {_FEW / upserted:,.0f} rows/s, and the fewer the more rows there are",
        ),
    ]


def _dlt(found: Settings, folder: Path, how: str, place: str) -> float:
    """Return the seconds that dlt takes for the files of a place."""
    told = peers.run(
        "dlt_events",
        how,
        f"s3://{found.landing_bucket}/{place}",
        f"s3://{found.ops_bucket}/dlt-{how}",
        str(folder / f"dlt-{how}"),
        PEER_ENDPOINT=found.s3_endpoint or "",
        PEER_KEY=found.access_key or "",
        PEER_SECRET=found.secret_key.get_secret_value() if found.secret_key else "",
    )
    return float(told.splitlines()[-1])


def crm(*, quick: bool) -> list[Result]:
    """Compare with both COPYs."""
    rows, place, count = 100_000 if quick else 1_000_000, "salesforce/contacts", 4
    with running_stack() as (found, _):
        for number in range(count):
            body = _crm_lines(rows // count, number)
            aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/bench/{number:03}.csv", Body=body)
        path = f"s3://{found.landing_bucket}/{place}/bench/*"
        what = f"CRM CSV, {rows:,} rows × {_COLUMNS} columns"
        return _compare(found, place, what, rows, None, lambda placed: _copy_crm(path, placed=placed))[0]


def _compare(
    found: Settings, place: str, what: str, rows: int, bar: float | None, copy: Callable[[bool], str]
) -> tuple[list[Result], float]:
    files = list(listing(found.landing_bucket, f"{place}/bench/"))
    ours, plain, placed = [], [], []
    for _ in range(_ROUNDS):
        plain.append(_timed(lambda: _copied(found, copy(False))))
        ours.append(_timed(lambda: _ingest(found, files, rows)))
        placed.append(_timed(lambda: _copied(found, copy(True))))
    mine = statistics.median(ours)
    note = f"{rows / mine:,.0f} rows/s"
    return [
        Result(f"{what}, speed over a plain COPY's", _ratio(plain, ours), "×", bar, note=note),
        Result(f"{what}, speed over a COPY's with file and row", _ratio(placed, ours), "×", 0.8, note=note),
    ], mine


def _ratio(theirs: list[float], ours: list[float]) -> float:
    """Return the median of the ratios round by round: what slows the machine for a while slows both."""
    return statistics.median(one / other for one, other in zip(theirs, ours, strict=True))


def _timed(work: Callable[[], None]) -> float:
    os.sync()  # nobody pays for what the one before has not written to disk yet
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ingest(found: Settings, files: list[RawFile], rows: int) -> None:
    lake = catalog.open_catalog(found)
    for name in catalog.table_names(lake):
        lake.drop_table(name)
    loaded = sum(record.loaded for record in ingest(found, files).records)
    if loaded != rows:
        raise AssertionError(f"{loaded} of {rows} rows loaded")


def _copied(found: Settings, query: str) -> None:
    con = duck.connect(found, iceberg=False)
    target = f"s3://{found.ops_bucket}/bench/{uuid.uuid4()}"
    con.execute(f"COPY ({query}) TO {literal(target)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (p))")
    con.close()


_PLACED = ", filename AS _file_id, row_number() OVER () AS _row"


def _copy_events(path: str, *, placed: bool) -> str:
    names = ("messageId", "type", "event", "userId", "anonymousId")
    times = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
    kinds = dict.fromkeys(names, "VARCHAR") | dict.fromkeys(times, "TIMESTAMPTZ")
    kinds |= dict.fromkeys(("properties", "context"), "JSON")
    columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items()) + "}"
    return (
        f"SELECT {', '.join(kinds)}, CAST(timestamp AS DATE) AS p {_PLACED if placed else ''} FROM read_json("
        f"{literal(path)}, format='newline_delimited', compression='gzip', columns={columns}, filename={placed}) "
        "ORDER BY p, timestamp"
    )


def _copy_crm(path: str, *, placed: bool) -> str:
    kinds = {name: kind for name, kind, _ in _CRM}
    columns = "{" + ", ".join(f"{literal(name)}: '{kind}'" for name, kind in kinds.items()) + "}"
    return (
        f"SELECT * {'EXCLUDE (filename)' if placed else ''}, CURRENT_DATE AS p {_PLACED if placed else ''} "
        f"FROM read_csv({literal(path)}, header=true, columns={columns}, filename={placed}) ORDER BY p, Id"
    )


def _event_lines(rows: int, seed: int) -> bytes:
    chance = random.Random(seed)
    lines = []
    for _ in range(rows):
        moment = (
            f"2026-05-{chance.randrange(1, 31):02}T{chance.randrange(24):02}:{chance.randrange(60):02}:"
            f"{chance.randrange(60):02}.{chance.randrange(1000):03}Z"
        )
        event = {
            "messageId": f"{chance.getrandbits(128):032x}",
            "type": "track",
            "event": chance.choice(("Product Viewed", "Product Added", "Order Completed")),
            "userId": f"u{chance.randrange(50_000)}",
            "anonymousId": f"{chance.getrandbits(64):016x}",
            **dict.fromkeys(("timestamp", "originalTimestamp", "sentAt", "receivedAt"), moment),
            "properties": {
                "sku": f"s{chance.randrange(900)}", "price": chance.randrange(9_999) / 100,
                "quantity": chance.randrange(1, 5), "currency": "CNY",
            },
            "context": {
                "page": {"url": "https://shop.example.com/p", "path": "/p", "referrer": ""},
                "locale": "zh-CN",
                "library": {"name": "analytics.js", "version": "2.1"},
                "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)",
                "ip": f"10.0.{chance.randrange(256)}.{chance.randrange(256)}",
            },
        }  # fmt: skip
        lines.append(json.dumps(event))
    return "\n".join(lines).encode() + b"\n"


def _crm_columns() -> Iterator[tuple[str, str, Callable[[random.Random], str]]]:
    """Yield name, DuckDB's type and a maker of values: Salesforce's columns, then some that no mapping names."""
    yield "Id", "VARCHAR", lambda chance: _salesforce_id(chance, "003")
    yield "AccountId", "VARCHAR", lambda chance: _salesforce_id(chance, "001")
    yield "Loyalty_Number__c", "VARCHAR", lambda chance: f"L{chance.randrange(10**8):08}"
    for name in ("IsDeleted", "HasOptedOutOfEmail"):
        yield name, "BOOLEAN", lambda chance: chance.choice(("true", "false"))
    for name in ("CreatedDate", "LastModifiedDate"):
        yield (
            name,
            "TIMESTAMPTZ",
            lambda chance: f"2026-0{chance.randrange(1, 10)}-03T10:{chance.randrange(60):02}:00Z",
        )
    named = (
        "LastName",
        "FirstName",
        "Email",
        "Phone",
        "MobilePhone",
        "MailingCity",
        "MailingCountry",
    )
    for name in (*named, "LeadSource"):
        yield (
            name,
            "VARCHAR",
            lambda chance: f"{chance.choice(('Müller', '张伟', 'Lee'))} {chance.randrange(9_999)}",
        )
    for number in range(_COLUMNS - 15):
        yield f"Custom_{number}__c", "VARCHAR", lambda chance: f"v{chance.randrange(999)}"


_LETTERS = string.ascii_letters + string.digits
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def _salesforce_id(chance: random.Random, kind: str) -> str:
    """Return an id as Salesforce writes it: three characters of its kind, twelve, three that say which are capitals."""
    short = kind + "".join(chance.choices(_LETTERS, k=12))
    fives = (short[start : start + 5] for start in range(0, 15, 5))
    return short + "".join(
        _CAPITALS[sum(character.isupper() << bit for bit, character in enumerate(five))] for five in fives
    )


_CRM = list(_crm_columns())


def _crm_lines(rows: int, seed: int) -> bytes:
    chance = random.Random(seed)
    lines = [",".join(name for name, _, _ in _CRM)]
    lines += [",".join(make(chance) for _, _, make in _CRM) for _ in range(rows)]
    return "\n".join(lines).encode() + b"\n"


def small(*, quick: bool) -> list[Result]:
    """Return the median seconds from a queue message to the commit, for one file of ten events, warm."""
    seconds = []
    with running_stack() as (found, _):
        for number in range(6 if quick else 22):
            key = f"web/events/small/{number}.json"
            answer = aws.s3().put_object(
                Bucket=found.landing_bucket, Key=key, Body=_event_lines(10, 1_000 + number)
            )
            file = {"bucket": found.landing_bucket, "key": key, "version_id": answer.get("VersionId", "")}
            body = json.dumps({"files": [file | {"etag": answer["ETag"], "size": 1}]})
            began = time.perf_counter()
            if ingest_records(found, [{"messageId": "m", "body": body}]):
                raise AssertionError("the small file was not loaded")
            seconds.append(time.perf_counter() - began)
    what = "one small file, queue to committed, warm"
    return [Result(what, statistics.median(seconds[2:]), "s", 1, at_least=False)]


def dedupe(*, quick: bool) -> list[Result]:
    """Return what a small file costs with many rows in the table, older than the window and within it, over none."""
    rows, place = 50_000 if quick else 500_000, "web/events"
    now = datetime.now(UTC)
    with running_stack() as (found, _):
        for number in range(10):
            body = gzip.compress(_event_lines(rows // 10, number), 1)
            aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/many/{number}.gz", Body=body)
        for number in range(9):
            body = _event_lines(10, 1_000 + number)
            aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/few/{number}.json", Body=body)
        many, few = (list(listing(found.landing_bucket, f"{place}/{name}/")) for name in ("many", "few"))
        seconds: dict[str, float] = {}
        for state, age in {"none": None, "older": timedelta(days=8), "arrivals": timedelta(days=1)}.items():
            lake = catalog.open_catalog(found)
            for name in catalog.table_names(lake):
                lake.drop_table(name)
            if age is not None:
                ingest(found, many, lambda age=age: now - age)  # type: ignore[misc]
            times = [_timed(lambda file=file: ingest(found, [file], lambda: now)) for file in few]  # type: ignore[misc]
            seconds[state] = statistics.median(times[2:])
    what, note = "one small file into a table", f"{seconds['none']:.2f} s with none"
    return [
        Result(f"{what}, with {rows:,} rows older than the window over with none", seconds["older"] / seconds["none"],
               "×", 1.25, at_least=False, note=f"{seconds['older']:.2f} s; {note}"),
        Result(f"{what}, with {rows:,} arrivals in the window over with none", seconds["arrivals"] / seconds["none"],
               "×", note=f"{seconds['arrivals']:.2f} s; {note}"),
    ]  # fmt: skip


def large(*, quick: bool) -> list[Result]:
    """Return the peak memory of a process that loads one file of 10 GiB, unpacked."""
    gib = 1 if quick else 10
    rows = gib * 1_650_000
    with running_stack() as (found, folder):
        path = folder / "large.gz"
        duckdb.sql(
            "COPY (SELECT uuid()::VARCHAR AS messageId, 'track' AS type, 'Product Viewed' AS event, "
            f"'u' || i % 50000 AS userId, repeat(md5(i::VARCHAR), 12) AS anonymousId, "
            "strftime(TIMESTAMP '2026-05-01' + to_seconds(i % 2500000), '%Y-%m-%dT%H:%M:%SZ') AS timestamp, "
            f"{{sku: 's' || i % 900, price: i % 9999}} AS properties FROM range({rows}) AS t(i)) "
            f"TO {literal(str(path))} (FORMAT json, COMPRESSION gzip)"
        )
        key = f"web/events/large/{gib}.gz"
        aws.s3().upload_file(str(path), found.landing_bucket, key)
        path.unlink()
        call = "runpy.run_module('benchmarks.ingest', run_name='__main__')"
        told, _, peak = measured(call, key, AWS_LAMBDA_FUNCTION_MEMORY_SIZE=str(_MEMORY_MB))
    loaded, seconds = json.loads(told.splitlines()[-1])
    if loaded != rows:
        raise AssertionError(f"{loaded} of {rows} rows loaded")
    what = f"peak memory of one file of {gib} GiB unpacked, in a function of {_MEMORY_MB} MB"
    return [Result(what, peak, "MiB", 1_024, at_least=False, note=f"{rows / seconds:,.0f} rows/s")]


def collect(*, quick: bool) -> list[Result]:
    """Return what a narrow CSV costs with two of its seven columns hashed, and as a strict source, over none."""
    rows, place = 30_000 if quick else 300_000, "shop/orders"
    shipped = files("lakehouse.sources").joinpath("definitions/shop_orders.yaml").read_text("utf-8")
    hashed = re.sub(r"(name: (?:order_id|customer_id), )", r"\1collect: hash, ", shipped)
    variants = {"none": shipped, "hashed": hashed, "strict": f"strict: true\n{shipped}"}
    with running_stack() as (found, folder):
        aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/bench/0.csv", Body=_order_lines(rows))
        landed = list(listing(found.landing_bucket, f"{place}/bench/"))
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for name, text in variants.items():
            (folder / name / "sources").mkdir(parents=True)
            (folder / name / "sources" / "shop_orders.yaml").write_text(text, "utf-8")
        for _ in range(_ROUNDS):
            for name in variants:
                told = found.model_copy(update={"definitions": folder / name})
                seconds[name].append(_timed(lambda told=told: _ingest(told, landed, rows)))  # type: ignore[misc]
    what, note = f"CSV, {rows:,} rows × 7 columns", f"{statistics.median(seconds['none']):.2f} s with none"
    return [
        Result(f"{what}, two of them hashed, time over none hashed", _ratio(seconds["hashed"], seconds["none"]), "×",
               note=f"{statistics.median(seconds['hashed']):.2f} s; {note}"),
        Result(f"{what}, strict, time over keeping what is unknown", _ratio(seconds["strict"], seconds["none"]), "×"),
    ]  # fmt: skip


def _order_lines(rows: int) -> bytes:
    chance = random.Random(7)
    lines = ["order_id,customer_id,ordered_at,quantity,amount,currency,store"]
    lines += [
        f"o{number},c{chance.randrange(50_000)},2026-05-{chance.randrange(1, 31):02}T10:00:00Z,"
        f"{chance.randrange(1, 9)},{chance.randrange(9_999) / 100},USD,web"
        for number in range(rows)
    ]
    return "\n".join(lines).encode() + b"\n"


def _load_alone(key: str) -> None:
    """Load one file in this process, and print its rows and seconds."""
    found = settings.current()
    began = time.perf_counter()
    records = ingest(found, listing(found.landing_bucket, key)).records
    seconds = time.perf_counter() - began
    print(json.dumps([sum(record.loaded for record in records), seconds]))


if __name__ == "__main__":
    _load_alone(sys.argv[1])
