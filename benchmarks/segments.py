"""A run of segments and its changes, beside the query and the anti-joins alone, over the same tables."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import marts_lake
from benchmarks.report import Result
from lakehouse.engine import duck
from lakehouse.local.session import session
from lakehouse.segments import refresh
from lakehouse.segments.definition import load
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import views
from lakehouse.tables.contracts import SEGMENT_MEMBERS

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_CUSTOMERS, _QUICK_CUSTOMERS = 10_000_000, 1_000_000
_BAR: Final = 1.5
_MARTS: Final = {
    "marts.customer_360": """
        SELECT 'c_' || lpad(hash(n)::VARCHAR, 20, '0') AS customer_id, DATE '2026-03-01' AS as_of,
            n % 12 AS purchase_days, n % 12 AS orders, (n % 10000)::DECIMAL(18, 2) AS revenue,
            ((n + {day}) % 400)::INTEGER AS recency_days,
            20.0 + n % 90 AS mean_gap_days, DATE '2026-03-01' - (n % 900)::INTEGER AS first_order_on
        FROM range({customers}) AS r(n)""",
    "marts.rfm": """
        SELECT 'c_' || lpad(hash(n)::VARCHAR, 20, '0') AS customer_id, DATE '2026-03-01' AS as_of, 1 + n % 5 AS m
        FROM range({customers}) AS r(n)""",
}


def segments(*, quick: bool) -> list[Result]:
    """Return the processor seconds of a run in which a few percent come and go, over DuckDB's alone; three segments."""
    customers = _QUICK_CUSTOMERS if quick else _CUSTOMERS
    with (
        tempfile.TemporaryDirectory() as folder,
        session(Path(folder) / "lake", "store", must_exist=False) as settings,
    ):
        _compute(settings, customers, day=0)
        refresh.refresh(settings)
        _compute(settings, customers, day=5)
        bare = min(_bare(settings) for _ in range(2))
        began = time.process_time()
        found = refresh.refresh(settings)
        ours = time.process_time() - began
        _compute(settings, customers, day=10)  # the best of two, as of the queries alone
        began = time.process_time()
        found = refresh.refresh(settings)
        ours = min(ours, time.process_time() - began)
    sizes = f"{customers:,} customers, {sum(found.sizes.values()):,} members"
    note = f"{sizes}, {ours:.1f} s and {bare:.1f} s of processor time"
    what = "a run of three segments, processor time over the queries and anti-joins alone"
    return [Result(what, ours / bare, "×", _BAR, at_least=False, note=note)]


def _compute(settings: Settings, customers: int, *, day: int) -> None:
    for name, sql in _MARTS.items():
        marts_lake.replace(settings, name, sql.format(customers=customers, day=day))


def _bare(settings: Settings) -> float:
    """Return the processor seconds of the queries, and of who is in a result or the members and not in both."""
    with closing(duck.connect(settings)) as con:
        views.attach(con, catalogs.open_catalog(settings), (*refresh.INPUTS, SEGMENT_MEMBERS.name))
        began = time.process_time()
        for segment in load(settings.definitions).defined:
            con.execute(f"CREATE OR REPLACE TEMP TABLE now AS {refresh.members_sql(segment)}")
            before = f"(SELECT customer_id FROM {SEGMENT_MEMBERS.name} WHERE segment = '{segment.name}')"
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE came AS FROM now ANTI JOIN {before} USING (customer_id)"
            )
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE went AS FROM {before} ANTI JOIN now USING (customer_id)"
            )
        return time.process_time() - began
