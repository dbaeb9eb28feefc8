"""DuckDB connections: bounded, in UTC, with extensions from packages alone."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse import aws
from lakehouse.engine import duck
from lakehouse.errors import Terminal
from tests.support.lakes import duck_of


def test_a_connection_keeps_to_its_limits(lake, tmp_path):
    """Memory, threads and scratch folder are the function's."""
    small = lake.model_copy(update={"memory_limit": "123MB", "threads": 1})
    with duck_of(small) as con:
        wanted = ("memory_limit", "threads", "temp_directory", "TimeZone")
        found = con.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in wanted)}").fetchone()
    assert found == ("117.3 MiB", 1, str(tmp_path / "scratch" / "duckdb"), "UTC")


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


def test_object_storage_is_read_and_written(landing):
    """With the keys of the settings, at their endpoint."""
    target = f"s3://{landing.ops_bucket}/test/duck 订单.parquet"
    with duck_of(landing) as con:
        con.execute(f"COPY (SELECT 7 AS n) TO '{target}' (FORMAT parquet)")
        assert con.execute(f"SELECT n FROM '{target}'").fetchall() == [(7,)]
    assert aws.s3().head_object(Bucket=landing.ops_bucket, Key="test/duck 订单.parquet")["ContentLength"] > 0


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
        told = con.execute("SELECT secret_string FROM duckdb_secrets()").fetchone()[0]
    assert "use_ssl=true" in told
    assert "c'); --" not in told
