"""Which rows go into one file: a power of two of them, by customer where rows say whose they are."""

from __future__ import annotations

import duckdb

from lakehouse.models import registry
from lakehouse.models.file_parts import part_of_row
from lakehouse.models.model import ByGrain
from lakehouse.models.policy import IncrementalPolicy

ROWS = IncrementalPolicy.rows_of_file


def model_of(with_customer: bool):
    """Return a shipped model that is computed by a grain, of a table without partitions."""
    return next(
        model
        for model in registry.load().in_order
        if isinstance(model.incremental, ByGrain)
        and not model.contract.partition
        and ("customer_id" in {column.name for column in model.contract.columns}) == with_customer
    )


def test_small_tables_are_one_file_and_large_ones_a_few():
    """Twice as many rows double the files, up to the most there may be."""
    model = model_of(with_customer=True)
    assert part_of_row(model, 0) == part_of_row(model, 2 * ROWS - 1) == ""
    for rows, parts in ((2 * ROWS, 2), (3 * ROWS, 2), (4 * ROWS, 4), (10**12, IncrementalPolicy.most_files)):
        assert part_of_row(model, rows) == f'CAST(hash("customer_id") % {parts} AS BIGINT)'


def test_with_more_files_the_rows_of_one_go_into_two():
    """So an update of a grown table still finds a customer's rows together."""
    model = model_of(with_customer=True)
    halves = duckdb.sql(
        f"SELECT {part_of_row(model, 2 * ROWS)}, count(DISTINCT {part_of_row(model, 4 * ROWS)}) "
        "FROM (SELECT 'c_' || n AS customer_id FROM range(1000) AS r(n)) GROUP BY 1"
    ).fetchall()
    assert sorted(halves) == [(0, 2), (1, 2)]


def test_without_customers_the_grain_says_which_file():
    """And a table that has partitions, or is computed whole, is not split."""
    model = model_of(with_customer=False)
    assert part_of_row(model, 4 * ROWS) == f"CAST(hash({model.incremental.by}) % 4 AS BIGINT)"
    whole = next(model for model in registry.load().in_order if model.incremental is None)
    assert part_of_row(whole, 10**12) == ""
