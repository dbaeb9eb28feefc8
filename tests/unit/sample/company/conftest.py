"""Two companies for all tests of this folder, one with every fact planted and one with none, read with SQL alone."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from lakehouse.sample.company import Plants, write
from lakehouse.sample.company.world.chunk import Chunk, make_chunk
from lakehouse.sample.company.world.scenario import Scenario, make_scenario
from lakehouse.sample.company.writers import OF_CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUSTOMERS = 5_000

# what several questions begin with: orders once each, in local time; their first line names the order's category
ORDERED = """
    CREATE TABLE ordered AS
    SELECT DISTINCT o.order_id, o.customer_id, o.city, o.campaign_id AS promotion,
           o.ordered_at[:19]::TIMESTAMP AS moment, i.category
    FROM shop_orders AS o JOIN shop_order_items AS i ON i.order_id = o.order_id AND i.line_id = '1'
"""


class WrittenCompany:
    """The files of a company in a DuckDB: `shop_orders` for `shop/orders`, `truth_persons` for the truth.

    One CRM and one shop of no particular make have all of it; what other systems write, tests/integration lands.
    """

    def __init__(self, folder: Path, plants: Plants | None = None) -> None:
        self.folder = folder
        self.plants = plants or Plants()
        self.truth_returned = write(
            folder, customers=CUSTOMERS, seed=7, plants=plants, crms=("crm",), shops=("shop",)
        )
        self.truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
        self.con = duckdb.connect(config={"threads": "2", "memory_limit": "1GB"})
        for entity in self.truth["rows"]:
            self._create_table(entity)
        for path in sorted((folder / "truth").glob("*-00000.parquet")):
            name = path.name.removesuffix("-00000.parquet")
            self.con.execute(f"CREATE TABLE truth_{name} AS FROM '{folder}/truth/{name}-*.parquet'")
        self.con.execute(ORDERED)

    def _create_table(self, entity: str) -> None:
        files, name = self.folder / entity, entity.replace("/", "_")
        if entity in ("web/events", "google/leads"):
            scan = f"read_ndjson_objects('{files}/*.jsonl.gz')"
        else:
            # "" is an empty text, an empty field is null
            options = "all_varchar = true, header = true, strict_mode = true, allow_quoted_nulls = false"
            scan = f"read_csv('{files}/*.csv', {options})"
        self.con.execute(f"CREATE TABLE {name} AS FROM {scan}")

    def close(self) -> None:
        self.con.close()

    def rows(self, sql: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(sql, named or list(values)).fetchall()

    def row(self, sql: str, *values: Any, **named: Any) -> tuple[Any, ...]:
        (row,) = self.rows(sql, *values, **named)
        return row

    def value(self, sql: str, *values: Any) -> Any:
        (value,) = self.row(sql, *values)
        return value


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WrittenCompany]:
    """A company with every fact planted."""
    with closing(WrittenCompany(tmp_path_factory.mktemp("company") / "out")) as written:
        yield written


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WrittenCompany]:
    """A company of the same seed without any planted fact: what must not be found in it."""
    with closing(WrittenCompany(tmp_path_factory.mktemp("bare") / "out", Plants.absent())) as written:
        yield written


@pytest.fixture(params=["company", "bare"])
def either(request: pytest.FixtureRequest) -> Any:
    """Each of the two companies in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The scenario of a company whose offices and channels use every system there is."""
    return make_scenario(7, CUSTOMERS, dt.date(2026, 6, 30), Plants())


@pytest.fixture(scope="session")
def chunk(scenario: Scenario) -> Chunk:
    """The first five thousand people of that company."""
    return make_chunk(scenario, 0)


@pytest.fixture(scope="session")
def exports(chunk: Chunk) -> dict[str, dict[str, list[str | None]]]:
    """What all systems write of them: columns of texts by entity and name."""
    return {
        export.entity: export.rows.to_pydict()
        for export_chunk in OF_CUSTOMERS
        for export in export_chunk(chunk)
    }
