"""What an update of the marts costs after a small change, against computing all of their rows, in one run.

The set is generated, and written to the tables that marts read: events of 400 days, eight a visit, orders and
customers, and who is who. Processor time is compared, and not time: these machines are shared.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Result
from lakehouse import settings as environment
from lakehouse.engine import duck
from lakehouse.models import registry, runner
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.sources import definition
from lakehouse.tables import appending, data_files, replace_table, views
from lakehouse.tables import catalog as catalogs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from lakehouse.settings import Settings

MODELS = ("core.activity_days", "marts.customer_360", "marts.daily_activity", "marts.rfm")
_EVENTS, _ORDERS, _CUSTOMERS = 10_000_000, 1_000_000, 200_000
_QUICK = 20  # times less
_BARS = {"10 new events": 0.15, "a day's events of 1 % of customers": 0.25, "a merge of two customers": 0.20}
_FULL_BAR = 0.5  # all rows from what is counted already, against all rows from every event
_ENVIRONMENT = {"LAKEHOUSE_CATALOG": "sql", "LAKEHOUSE_AS_OF": "2026-02-05"}

_EVENTS_SQL = """
    SELECT concat('m{batch}-', n) AS message_id, 'track' AS type, 'Product Viewed' AS event,
        CASE WHEN n // 8 % 3 > 0 THEN concat('u', (n // 8 * 7919) % {customers}) END AS user_id,
        concat('d', (n // 8 * 7919) % {customers}) AS anonymous_id,
        TIMESTAMPTZ '2025-01-01' + to_seconds(CAST((n // 8 * 104729) % (400 * 86400) + n % 8 * 60 AS BIGINT))
            AS timestamp,
        TIMESTAMPTZ '2026-02-05' AS _loaded_at, 'f{batch}' AS _file_id, n AS _row
    FROM range({count}) AS r(n)
"""
_TABLES = {
    "core.customers": "SELECT concat('c', n) AS customer_id, 1 AS contacts FROM range({customers}) AS r(n)",
    "core.identities": """
        SELECT kind AS identifier_type, concat(prefix, n) AS identifier_value, concat('c', n) AS customer_id
        FROM range({customers}) AS r(n), (VALUES ('user_id', 'u'), ('anonymous_id', 'd')) AS k(kind, prefix)
    """,
    "core.home_currency": "SELECT 'USD' AS currency, 1 AS orders, 0 AS deals",
    "core.order_values": """
        SELECT 'shop' AS source, concat('O', n) AS order_id, concat('c', (n * 31) % {customers}) AS customer_id,
            TIMESTAMPTZ '2025-01-01' + INTERVAL (n % 400) DAY AS ordered_at, 10 + n % 90 AS amount, 'USD' AS currency,
            'USD' AS home_currency, 10 + n % 90 AS value, false AS unvalued,
            DATE '2025-01-01' + CAST(n % 400 AS INTEGER) AS ordered_on, 'sold' AS counts_as, true AS is_order,
            10 + n % 90 AS gross, 0 AS discounts, 0 AS refunds
        FROM range({orders}) AS r(n)
    """,
}


def marts(*, quick: bool) -> list[Result]:
    """Return the share of a full computation that each update takes, and one whose inputs only seem to have moved."""
    less = _QUICK if quick else 1
    size = {"customers": _CUSTOMERS // less, "orders": _ORDERS // less}
    with tempfile.TemporaryDirectory() as folder, _lake(Path(folder)) as settings:
        for name, sql in _TABLES.items():
            _replace(settings, name, sql.format(**size))
        _append_events(settings, _EVENTS // less, "0", size)
        first = _seconds(settings)
        with _all_rows():
            _append_events(settings, 10, "1", size)
            full = _seconds(settings)
        again = "marts: all rows of what is counted, against all rows of every event"
        results = [Result(again, full / first, "x", _FULL_BAR, at_least=False)]
        _append_events(settings, 10, "2", size)
        shares = {"10 new events": _seconds(settings) / first}
        _append_events(settings, 25_000 // less, "3", size | {"customers": size["customers"] // 100})
        shares["a day's events of 1 % of customers"] = _seconds(settings) / first
        _replace(settings, "core.identities", _merged(settings))
        shares["a merge of two customers"] = _seconds(settings) / first
        results += [
            Result(f"marts: {what}, against all rows of every event", share, "x", _BARS[what], at_least=False)
            for what, share in shares.items()
        ]
        return results


@contextmanager
def _lake(folder: Path) -> Iterator[Settings]:
    (folder / "warehouse").mkdir()
    before = dict(os.environ)
    os.environ |= _ENVIRONMENT | {
        "LAKEHOUSE_CATALOG_URI": f"sqlite:///{folder}/catalog.sqlite",
        "LAKEHOUSE_WAREHOUSE": f"file://{folder}/warehouse",
        "LAKEHOUSE_SCRATCH": str(folder),
    }
    environment.current.cache_clear()
    try:
        yield environment.current()
    finally:
        os.environ.clear()
        os.environ.update(before)
        environment.current.cache_clear()


@contextmanager
def _all_rows() -> Iterator[None]:
    """Compute all rows whatever changed: no table has enough rows to be computed in part."""
    least = IncrementalPolicy.least_rows
    IncrementalPolicy.least_rows = 10**12  # type: ignore[misc]
    try:
        yield
    finally:
        IncrementalPolicy.least_rows = least  # type: ignore[misc]


def _seconds(settings: Settings) -> float:
    """Run the marts; return the processor seconds, DuckDB's threads included."""
    began = time.process_time()
    outcome = runner.run(settings, only=MODELS)
    assert outcome.wrong == [], outcome.wrong
    return time.process_time() - began


def _append_events(settings: Settings, count: int, batch: str, size: dict[str, int]) -> None:
    table = catalogs.ensure(catalogs.open_catalog(settings), definition.load()["web", "events"].contract)
    named = [field.name for field in table.schema().fields]
    sql = _EVENTS_SQL.format(batch=batch, count=count, customers=size["customers"])
    with closing(duck.connect(settings, iceberg=False)) as con:
        given = _columns(con, sql)
        cells = ", ".join(name if name in given else f"NULL AS {name}" for name in named)
        appending.append_query(con, table, f"SELECT {cells} FROM ({sql})", f"bench-{uuid.uuid4()}")


def _columns(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [row[0] for row in con.execute(f"DESCRIBE {sql}").fetchall()]


def _replace(settings: Settings, name: str, sql: str) -> None:
    """Replace what a table holds; what the SELECT does not yield is null."""
    contract = registry.load().contracts[name]
    table = catalogs.ensure(catalogs.open_catalog(settings), contract)
    with closing(duck.connect(settings)) as con:
        given = _columns(con, sql)
        cells = ", ".join(
            each.name if each.name in given else f"CAST(NULL AS {each.duck_type}) AS {each.name}"
            for each in contract.columns
        )
        written = data_files.write(con, table, f"SELECT {cells} FROM ({sql})", f"bench-{uuid.uuid4()}")
    base = table.current_snapshot()
    replace_table.replace_all(table, written.files, computed_from={}, base=base.snapshot_id if base else None)


def _merged(settings: Settings) -> str:
    """Return the identities with those of one customer given to another."""
    table = catalogs.load(catalogs.open_catalog(settings), "core.identities")
    assert table is not None
    owner = "CASE WHEN customer_id = 'c7' THEN 'c8' ELSE customer_id END AS customer_id"
    return f"SELECT * REPLACE ({owner}) FROM ({views.scan_sql(table)})"
