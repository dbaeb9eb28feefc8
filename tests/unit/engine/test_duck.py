"""DuckDB connections: bounded, in UTC, with extensions from packages alone."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from lakehouse.engine import duck
from lakehouse.errors import Terminal
from tests.support.lakes import duck_of


def test_a_connection_keeps_to_its_limits(lake, tmp_path):
    """Memory, threads and scratch folder are the function's."""
    small = lake.model_copy(update={"memory_limit": "123MB", "threads": 1})
    with duck_of(small) as con:
        names = ("memory_limit", "threads", "temp_directory", "TimeZone")
        found = con.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}").fetchone()
    spilled_to = Path(found[2])
    assert found == ("117.3 MiB", 1, str(spilled_to), "UTC")
    assert spilled_to.parent.parent == tmp_path / "scratch"


def test_no_two_connections_spill_to_one_folder(lake):
    """DuckDB names its files alike in every connection: sharing a folder, they overwrite each other's."""
    with duck_of(lake) as one, duck_of(lake) as other:
        folders = {con.execute("SELECT current_setting('temp_directory')").fetchone() for con in (one, other)}
    assert len(folders) == 2


def test_nothing_is_downloaded(lake):
    """Extensions that are not packaged are not fetched."""
    with duck_of(lake) as con:
        assert con.execute(
            "SELECT current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions')"
        ).fetchone() == (False, False)
        with pytest.raises(duckdb.Error):
            con.execute("SELECT * FROM st_read('x')")


def test_iceberg_is_loaded_where_it_is_needed(lake):
    """Light connections start without it."""
    loaded = "SELECT extension_name FROM duckdb_extensions() WHERE loaded AND extension_name IN ('httpfs', 'iceberg')"
    with duck_of(lake) as con:
        assert con.execute(loaded).fetchall() == [("httpfs",)]
    with duck_of(lake, iceberg=True) as con:
        assert sorted(con.execute(loaded).fetchall()) == [("httpfs",), ("iceberg",)]


def test_a_missing_extension_says_what_to_install():
    """By name and version."""
    with pytest.raises(Terminal, match=f"duckdb-extension-spatial=={duckdb.__version__}"):
        duck.extension_path("spatial")


def test_hostile_keys_do_not_break_out(lake):
    """A secret with quotes is a secret; without keys there is none."""
    count = "SELECT count(*) FROM duckdb_secrets()"
    with duck_of(lake) as con:
        assert con.execute(count).fetchone() == (0,)
    values = {"AWS_ACCESS_KEY_ID": "a'b", "AWS_SECRET_ACCESS_KEY": "c'); --", "AWS_SESSION_TOKEN": "d'"}
    hostile = type(lake).model_validate(
        {**values, "AWS_ENDPOINT_URL_S3": "https://s3.example.com", "scratch": lake.scratch}
    )
    with duck_of(hostile) as con:
        assert con.execute(count).fetchone() == (1,)
        shown = con.execute("SELECT secret_string FROM duckdb_secrets()").fetchone()[0]
    assert "use_ssl=true" in shown
    assert "c'); --" not in shown


def test_the_secret_says_where_the_keys_are_good(lake):
    """At S3 itself, or at the endpoint of the settings, with or without TLS; without keys there is none."""
    assert duck.s3_secret_sql(lake) == ""
    values = {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_REGION": "eu-x-1",
        "scratch": lake.scratch,
    }
    plain = type(lake).model_validate(values)
    assert duck.s3_secret_sql(plain) == (
        "CREATE OR REPLACE SECRET lake (TYPE s3, KEY_ID 'k', SECRET 's', REGION 'eu-x-1')"
    )
    at_endpoint = type(lake).model_validate(values | {"AWS_ENDPOINT_URL_S3": "http://localhost:9"})
    assert duck.s3_secret_sql(at_endpoint).endswith(
        "ENDPOINT 'localhost:9', URL_STYLE 'path', USE_SSL false)"
    )


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT nonsense FROM t", "nonsense"),
        ("SELECT * FROM t WHERE email >> 1", None),
        ("SELECT CAST(email AS INTEGER) FROM t", "ConversionException for a value of some row"),
        ("SELECT strptime(email, '%Y') FROM t", "for a value of some row"),
        ("SELECT error(email) FROM t", "for a value of some row"),
        ("SELECT CAST(email AS JSON) FROM t", "for a value of some row"),
        ("SELECT len(repeat(email, 1)::BIT) FROM t", "for a value of some row"),
    ],
)
def test_an_error_of_sql_tells_of_the_sql_and_quotes_no_row(lake, sql, shown):
    """DuckDB says what it could not cast, and that is somebody's address."""
    with duck_of(lake) as con:
        con.execute("CREATE TABLE t AS SELECT 'erin.planted@example.org' AS email")
        with pytest.raises(duckdb.Error) as raised:
            con.execute(sql).fetchall()
    text = duck.sql_error_text(raised.value)
    assert "erin" not in text
    assert "\n" not in text
    assert shown is None or shown in text


def test_what_is_divided_by_zero_is_null(lake):
    """As on Spark: no infinite number reaches a table."""
    with duck_of(lake) as con:
        rows = con.execute("SELECT 1 / 0, 0 / 0::DOUBLE, 1.5 / 0, 1 // 0, fmod(1, 0)").fetchall()
    assert rows == [(None,) * 5]
