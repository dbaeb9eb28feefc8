"""A company in small: an SQLite lake, moto for buckets and queues, files that are landed and loaded for real."""

from __future__ import annotations

import json
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import aws, settings
from lakehouse.engine import duck
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import RawFile, from_object
from lakehouse.models import registry
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import data_files, replace_table
from tests.support import cloud as clouds
from tests.support import model_cases, questions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from lakehouse.ingest.batch import Outcome
    from lakehouse.settings import Settings

QUEUES = ("ingest", "resolve", "aggregate", "export", "publish", "books.fifo", "announced")
HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Shop Customer ID,Marketing consent,Marketing consent date,"
    "Preferred Language,City,Country/Region,Create Date,Last Modified Date"
)
SHOP = "order_id,customer_id,ordered_at,quantity,amount,currency,store"


class SmallCompany:
    """Hands to work in the company."""

    def __init__(self, queues: dict[str, str]) -> None:
        self.queues = queues

    @property
    def settings(self) -> Settings:
        return settings.current()

    def land(self, place: str, name: str, body: str | bytes) -> RawFile:
        """Put a raw file; return its version."""
        key = f"{place}/{name}"
        bucket = self.settings.landing_bucket
        content = body if isinstance(body, bytes) else body.encode()
        answer = aws.s3().put_object(Bucket=bucket, Key=key, Body=content)
        return from_object(bucket, {**answer, "key": key, "size": len(content)})

    def load(self, place: str, name: str, body: str | bytes) -> Outcome:
        """Land a file and ingest it."""
        outcome = ingest(self.settings, [self.land(place, name, body)])
        assert not outcome.failed
        return outcome

    def contacts(self, name: str, *rows: str) -> None:
        """Load a HubSpot export: number, first name, e-mail, shop id, Yes or No, the day of saying so."""
        lines = [HUBSPOT]
        for row in rows:
            number, first, email, shop, consent, said = (cell.strip() for cell in row.split(","))
            lines.append(
                f"{number},{first},Lee,{email},,{shop},{consent},{said},en,Oslo,United States,2025-01-01,2025-06-01"
            )
        self.load("hubspot/contacts", name, "\n".join(lines) + "\n")

    def orders(self, name: str, *rows: str) -> None:
        """Load a shop's export: number, customer, day, amount."""
        lines = [SHOP]
        for row in rows:
            number, customer, day, amount = (cell.strip() for cell in row.split(","))
            lines.append(f"{number},{customer},{day},1,{amount},USD,web")
        self.load("shop/orders", name, "\n".join(lines) + "\n")

    def fill(self, name: str, *rows: dict[str, Any]) -> None:
        """Replace what a table of ours holds, as a model does; what a row does not say is null."""
        catalog = catalogs.open_catalog(self.settings)
        table = catalogs.ensure(catalog, registry.load().contracts[name])
        con = duck.connect(self.settings, iceberg=False)
        try:
            con.execute("CREATE SCHEMA raw; CREATE SCHEMA core; CREATE SCHEMA marts; CREATE SCHEMA ops")
            model_cases.fill(con, name, rows)
            written = data_files.write(con, table, f"SELECT * FROM {name}", f"test-{uuid.uuid4()}")
        finally:
            con.close()
        base = table.current_snapshot()
        replace_table.replace_all(
            table, written.files, computed_from={}, base=base.snapshot_id if base else None
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the tables as they stand."""
        return questions.ask(self.settings, query)

    def hints(self, queue: str) -> list[dict[str, Any]]:
        """Take what a queue shows now."""
        found = []
        url = self.queues[queue]
        while messages := aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found

    def announced(self) -> list[str]:
        """Take the tables that commits have been announced of, in any order."""
        return sorted(event["detail"]["table"] for event in self.hints("announced"))

    def snapshots(self) -> dict[str, int]:
        """Return how many snapshots each table has."""
        catalog = catalogs.open_catalog(self.settings)
        return {
            name: len(catalog.load_table(name).metadata.snapshots) for name in catalogs.table_names(catalog)
        }

    def data_files(self) -> set[str]:
        """Return the data files on disk, whoever refers to them."""
        root = Path(self.settings.warehouse.removeprefix("file://"))
        return {str(path) for path in root.rglob("*.parquet")}

    def live_files(self) -> set[str]:
        """Return the data files that some snapshot of some table refers to."""
        catalog = catalogs.open_catalog(self.settings)
        found: set[str] = set()
        for name in catalogs.table_names(catalog):
            table = catalog.load_table(name)
            for snapshot in table.metadata.snapshots:
                for manifest in snapshot.manifests(table.io):
                    found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
        return {path.removeprefix("file://") for path in found}


@contextmanager
def company(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SmallCompany]:
    """Give a test a company of its own; needs the fixture `lake` for its catalog."""
    with clouds.cloud(monkeypatch):
        aws.s3().put_bucket_versioning(Bucket=clouds.LANDING, VersioningConfiguration={"Status": "Enabled"})
        queues = {}
        for name in QUEUES:
            fifo = (
                {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
            )
            made = aws.sqs().create_queue(QueueName=name, Attributes=fifo)
            short = name.removesuffix(".fifo")
            queues[short] = made["QueueUrl"]
            monkeypatch.setenv(f"LAKEHOUSE_{short.upper()}_QUEUE_URL", made["QueueUrl"])
        _listen(queues["announced"])
        monkeypatch.setenv("LAKEHOUSE_SETTLE_SECONDS", "0")
        settings.current.cache_clear()
        yield SmallCompany(queues)


def _listen(queue_url: str) -> None:
    """Send every announcement to a queue."""
    attributes = aws.sqs().get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    aws.events().put_rule(Name="all", EventPattern=json.dumps({"source": ["lakehouse"]}))
    aws.events().put_targets(Rule="all", Targets=[{"Id": "all", "Arn": attributes["QueueArn"]}])


@contextmanager
def kept(monkeypatch: pytest.MonkeyPatch, shelf: Path) -> Iterator[bool]:
    """Use the lake that the first test of a module left on its shelf; True asks that one to fill it.

    Resolving and computing a lake takes seconds, copying one does not; paths in it are absolute, so it is always
    at the same place.
    """
    lake, copy = shelf / "lake", shelf / "copy"
    shutil.rmtree(lake, ignore_errors=True)
    if fresh := not copy.exists():
        (lake / "warehouse").mkdir(parents=True)
    else:
        shutil.copytree(copy, lake)
    monkeypatch.setenv("LAKEHOUSE_CATALOG_URI", f"sqlite:///{lake}/catalog.sqlite")
    monkeypatch.setenv("LAKEHOUSE_WAREHOUSE", f"file://{lake}/warehouse")
    forget()
    yield fresh
    if fresh:
        shutil.copytree(lake, copy)


def forget() -> None:
    """Read settings and open the catalog anew."""
    settings.current.cache_clear()
    catalogs.open_catalog.cache_clear()
