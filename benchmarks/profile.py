"""What a file holds: the seconds of `lakehouse sources profile` for 1 GB of CSV, and its memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse.engine.escape import literal

_ROWS_A_GB = 4_400_000


def profile(*, quick: bool) -> list[Result]:
    """Return the seconds for 1 GB, scaled where the file is smaller, and the peak memory of the process."""
    rows = _ROWS_A_GB // 3 if quick else _ROWS_A_GB
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        duckdb.sql(f"COPY ({_query(rows)}) TO {literal(str(path))} (HEADER)")
        gb = path.stat().st_size / 1e9
        call = "from lakehouse.cli import main; main()"
        _, seconds, peak = measured(call, "sources", "profile", str(path), "--json")
    note = f"{seconds:.1f} s for {gb:.2f} GB, 16 columns"
    return [
        Result("profile of 1 GB of CSV, 16 columns", seconds / gb, "s", 20, at_least=False, note=note),
        Result("the same, peak memory", peak, "MiB", 1024, at_least=False),
    ]


def _query(rows: int) -> str:
    """Return the SQL of an export: names, mobiles, e-mails, dates, money, yes and no, notes."""
    return (
        "SELECT 'C' || i AS customer_id, 'u' || i % 50000 AS user_id, "
        "'张' || chr(19968 + (i * 7 % 2000)::INT) AS 姓名, "
        "'1' || (30 + i % 60) || lpad((i * 7919 % 100000000)::VARCHAR, 8, '0') AS mobile, "
        "'user' || i || '@mail' || i % 40 || '.example.com' AS email, "
        "strftime(TIMESTAMP '2020-01-01' + to_seconds(i * 37), '%Y/%m/%d %H:%M') AS created_at, "
        "(i % 99999) / 100.0 AS amount, '¥' || i % 9999 || '.00' AS price, "
        "CASE WHEN i % 2 = 0 THEN '是' ELSE '否' END AS 是否会员, i % 7 AS quantity, "
        "CASE WHEN i % 3 = 0 THEN 'Shanghai' ELSE 'Beijing' END AS city, "
        "'10.' || i % 250 || '.' || i % 199 || '.7' AS ip, md5(i::VARCHAR) AS token, "
        "'a note about ' || i % 1000 || ' and more words here' AS note, "
        "CASE WHEN i % 5 > 0 THEN 's' || i % 900 END AS sku, 'https://shop.example.com/p/' || i % 5000 AS url "
        f"FROM range({rows}) AS t(i)"
    )
