"""What a SELECT asks for is read from its text: nothing is run, and what it must not do is refused with its line."""

from __future__ import annotations

import pytest

from lakehouse.models import registry
from lakehouse.models.select_statement import StatementError, read_statement, without_semicolon


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT a FROM core.orders", ["core.orders"]),
        ("FROM core.orders SELECT a", ["core.orders"]),
        ("SELECT a FROM core.orders JOIN core.deals USING (a) JOIN core.orders AS o USING (a)",
         ["core.deals", "core.orders"]),
        ("WITH o AS (SELECT a FROM core.orders) SELECT a FROM o", ["core.orders"]),
        ("WITH orders AS (SELECT a FROM core.orders) SELECT a FROM orders", ["core.orders"]),
        ("SELECT a FROM core.orders WHERE a IN (SELECT b FROM core.deals)", ["core.deals", "core.orders"]),
        ("SELECT (SELECT max(b) FROM core.deals) AS a", ["core.deals"]),
        ("SELECT a FROM core.orders UNION ALL SELECT a FROM mapped.deals", ["core.orders", "mapped.deals"]),
        ("SELECT a FROM core.events", ["core.identities", "raw.events"]),
        ("SELECT a FROM core.orders ASOF LEFT JOIN core.prices USING (a, b)", ["core.orders", "core.prices"]),
        ("SELECT a FROM core.orders, unnest([1, 2]) AS u(n), range(3) AS r(i)", ["core.orders"]),
        ("SELECT a FROM (VALUES (1)) AS v(a)", []),
        ("SELECT 1 AS a; ", []),
    ],
)  # fmt: skip
def test_tables_are_found_wherever_they_stand(sql, tables):
    """A table that were missed would not be waited for."""
    assert list(read_statement(sql).tables) == tables


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT a, b.c, 1 AS d, sum(x) AS s FROM core.orders AS b", ("a", "c", "d", "s")),
        ("WITH x AS (SELECT * FROM core.orders) SELECT a FROM x", ("a",)),
        ("SELECT * FROM core.orders", None),
        ("SELECT o.* FROM core.orders AS o", None),
        ("SELECT * EXCLUDE (a) FROM core.orders", None),
        ("SELECT 1 + 1 FROM core.orders", None),
    ],
)
def test_columns_are_known_unless_a_star_says_them(sql, columns):
    """Those are asked of DuckDB."""
    assert read_statement(sql).columns == columns


@pytest.mark.parametrize(
    ("sql", "line", "says"),
    [
        ("SELECT a\nFROM events", 2, "'events' is no table: say namespace and name"),
        ("SELECT a FROM a.b.c", 1, "is no table"),
        ("SELECT a FROM 'people.parquet'", 1, "'people.parquet' is no table"),
        ("SELECT a FROM read_csv('people.csv')", 0, "read_csv(…) is no table"),
        ("SELECT a FROM read_parquet('s3://x/*')", 0, "is no table"),
        ("SELECT a FROM read_json_auto('x')", 0, "is no table"),
        ("SELECT a FROM glob('*')", 0, "glob(…) is no table"),
        ("SELECT a FROM iceberg_scan('x')", 0, "is no table"),
        ("SELECT a FROM query('SELECT 1')", 0, "query"),
        ("SELECT a FROM duckdb_secrets()", 0, "is no table"),
        ("SELECT getenv('HOME') AS a", 0, "getenv() reads what is no table"),
        ("SELECT now() AS a", 0, "use getvariable('as_of')"),
        ("SELECT current_date AS a", 0, "use getvariable('as_of')"),
        ("SELECT today() AS a", 0, "use getvariable('as_of')"),
        ("SELECT current_timestamp AS a", 0, "use getvariable('as_of')"),
        ("SELECT localtimestamp AS a", 0, "use getvariable('as_of')"),
        ("SELECT random() AS a", 0, "gives the same rows each time"),
        ("SELECT uuid() AS a", 0, "gives the same rows each time"),
        ("SELECT gen_random_uuid() AS a", 0, "gives the same rows each time"),
        ("SELECT getvariable('day') AS a", 0, "there is no variable 'day'"),
        ("SELECT getvariable('as_off') AS a", 0, "did you mean as_of?"),
        ("SELECT age(ordered_at) AS a FROM core.orders", 0, "use getvariable('as_of')"),
        ("SELECT a FROM core.orders USING SAMPLE 10", 0, "gives the same rows each time"),
        ("SELECT a FROM core.orders TABLESAMPLE 10%", 0, "gives the same rows each time"),
        ("SELECT txid_current() AS a", 0, "gives the same rows each time"),
        ("SELECT write_log('x') AS a", 0, "gives the same rows each time"),
        ("SELECT a FROM core.orders WHERE a = ?", 0, "a parameter has no value here"),
        ("SELECT a FROM core.orders WHERE a = $day", 0, "a parameter has no value here"),
        ("SELECT 1 AS a; SELECT 2 AS a", 0, "not one SELECT"),
        ("DELETE FROM core.orders", 0, "not one SELECT"),
        ("COPY core.orders TO 'x'", 0, "not one SELECT"),
        ("ATTACH 'x'", 0, "not one SELECT"),
        ("PRAGMA memory_limit='1GB'", 0, "not one SELECT"),
        ("INSTALL httpfs", 0, "not one SELECT"),
        ("", 0, "not one SELECT"),
        ("-- nothing", 0, "not one SELECT"),
        ("SELECT a\nFROM WHERE", 2, "not SQL near 'WHERE'"),
        ("SELECT 'unclosed", 0, "not SQL"),
        ("SELECT (a FROM core.orders", 0, "not SQL"),
    ],
)
def test_what_a_model_may_not_do_is_refused(sql, line, says):
    """It reads tables by their names, gives the same rows each time, and changes nothing."""
    with pytest.raises(StatementError) as caught:
        read_statement(sql)
    assert says in str(caught.value)
    if line:
        assert caught.value.line == line


def test_an_error_quotes_no_terminal_colours():
    """The parser underlines what it dislikes."""
    with pytest.raises(StatementError) as caught:
        read_statement("SELECT FROM WHERE x")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("model", registry.load().in_order, ids=lambda model: model.table)
def test_what_ships_is_read_as_duckdb_reads_it(model):
    """Generated models name their inputs beside their SQL: the SQL reads these and no others."""
    statement = read_statement(model.sql)
    behind = {view.table: set(view.inputs) for view in model.views}
    assert set().union(*(behind.get(name, {name}) for name in statement.tables)) == set(model.inputs)
    if statement.columns is not None:
        assert set(statement.columns) == {column.name for column in model.contract.columns}


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; ;\n", "SELECT 1 "),
        ("-- one; two\nSELECT 1", "-- one; two\nSELECT 1"),
        ("-- one; two\nSELECT 1;\n-- the end", "-- one; two\nSELECT 1"),
        ("SELECT 1; -- one; two", "SELECT 1"),
        ("SELECT 1; /* one\ntwo */", "SELECT 1"),
        ("SELECT 1; -- one; two\n\n  -- three\n", "SELECT 1"),
        ("SELECT ';'", "SELECT ';'"),
        ("SELECT 'a;\nb'", "SELECT 'a;\nb'"),
        ("SELECT 1 /* ; */\nFROM core.orders;", "SELECT 1 /* ; */\nFROM core.orders"),
    ],
)
def test_a_semicolon_at_the_end_is_left_out_wherever_comments_stand(written, left):
    assert without_semicolon(written) == left
