"""DuckDB connections on a real object store."""

from __future__ import annotations

from lakehouse import aws
from tests.support.lakes import duck_of


def test_object_storage_is_read_and_written(landing):
    """With the keys of the settings, at their endpoint."""
    target = f"s3://{landing.ops_bucket}/test/duck 订单.parquet"
    with duck_of(landing) as con:
        con.execute(f"COPY (SELECT 7 AS n) TO '{target}' (FORMAT parquet)")
        assert con.execute(f"SELECT n FROM '{target}'").fetchall() == [(7,)]
    assert aws.s3().head_object(Bucket=landing.ops_bucket, Key="test/duck 订单.parquet")["ContentLength"] > 0
