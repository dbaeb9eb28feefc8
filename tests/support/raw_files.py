"""A landing bucket to put files in, a lake to load them into, and small files for it."""

from __future__ import annotations

import csv
import io
import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import aws
from lakehouse.books import balance
from lakehouse.ingest import batch
from lakehouse.ingest.batch import ingest, utc_now
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.landing.raw_files import RawFile, from_object
from lakehouse.tables import ledger
from lakehouse.tables.catalog import load, open_catalog, table_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.settings import Settings

ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "quantity", "amount", "currency")


@dataclass
class Company:
    """A landing bucket to put files in, and a lake that is empty at first."""

    settings: Settings
    clock: Any = utc_now

    def put(self, key: str, body: bytes) -> RawFile:
        """Land a file under a key of its own; `key` begins with source and entity."""
        source, entity, name = key.split("/", 2)
        key = f"{source}/{entity}/{uuid.uuid4().hex}/{name}"
        answer = aws.s3().put_object(Bucket=self.settings.landing_bucket, Key=key, Body=body)
        return from_object(self.settings.landing_bucket, {"key": key, **answer, "size": len(body)})

    def ingest(self, *files: RawFile) -> Any:
        """Load files; nothing may come back to the queue."""
        outcome = ingest(self.settings, files, self.clock)
        assert outcome.failed == set()
        return outcome

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table by file and place."""
        found = load(open_catalog(self.settings), table)
        if found is None:
            return []
        rows = found.scan().to_arrow().to_pylist()
        return sorted(rows, key=lambda row: (row["_file_id"], row["_row"]))

    def quarantined(self, file: RawFile) -> list[dict[str, Any]]:
        """Return what was set aside of a file."""
        catalog = open_catalog(self.settings)
        tables = {name: table for name in table_names(catalog) if (table := load(catalog, name))}
        _, record = ledger.records(tables, self.settings.ops_bucket)[file.file_id]
        return list(bad_rows.read(self.settings.ops_bucket, record))

    def unbalanced(self) -> tuple[str, ...]:
        """Return what does not add up in the books, over all files of this lake."""
        catalog = open_catalog(self.settings)
        tables = {name: table for name in table_names(catalog) if (table := load(catalog, name))}
        return balance.ingested(self.settings, tables).unbalanced

    def data_files(self) -> set[Path]:
        """Return the Parquet files on disk, whether a table knows them or not."""
        return set(Path(self.settings.warehouse.removeprefix("file://")).rglob("*.parquet"))


@contextmanager
def a_company(landing: Settings) -> Iterator[Company]:
    """Give a test a company; at the end its books balance and its scratch folder is empty."""
    company = Company(landing)
    yield company
    assert company.unbalanced() == ()
    assert [path for path in landing.scratch.iterdir() if path.name.startswith("ingest-")] == []


def shop_csv(*numbers: Any, **changed: str) -> bytes:
    """Return an export of the shop with these orders."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ORDER_COLUMNS)
    writer.writeheader()
    for number in numbers:
        row = {"order_id": f"o{number}", "ordered_at": "1997-01-01T00:00:00Z", "amount": "11.77"}
        writer.writerow(row | changed)
    return out.getvalue().encode()


def message(number: Any, **more: Any) -> bytes:
    """Return a tracked message."""
    timestamp = "2026-01-01T00:00:00Z"
    body = {"messageId": f"m{number}", "type": "page", "userId": "u", "timestamp": timestamp, **more}
    return json.dumps(body).encode() + b"\n"


def messages(*numbers: Any) -> bytes:
    return b"".join(message(number) for number in numbers)


def records(outcome: Any) -> dict[str, tuple[int, int, int, int]]:
    """Return (received, loaded, duplicates, quarantined) by file id."""
    return {r.file_id: (r.received, r.loaded, r.duplicates, r.quarantined) for r in outcome.records}


def meet_before_commit(monkeypatch, number):
    """Let the first commits of several threads wait for each other."""
    real, meeting, met = batch.append, threading.Barrier(number), threading.local()

    def append(*arguments, **named):
        if not getattr(met, "done", False):
            met.done = True
            meeting.wait(30)
        return real(*arguments, **named)

    monkeypatch.setattr(batch, "append", append)
