"""What a mapping costs: the same CSV once with types and formats, once with every column as the text that it is."""

from __future__ import annotations

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml

from benchmarks.ingest import _ROUNDS, _timed, running_stack
from benchmarks.report import Result
from lakehouse import aws
from lakehouse.engine.escape import literal
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import RawFile, listing
from lakehouse.settings import Settings
from lakehouse.tables import catalog

# name, what a mapping says of it, SQL of a value from i; written as Chinese exports write them
_COLUMNS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("客户编号", {"required": True}, "'C' || i"),
    ("客户名称", {"pii": True}, "'张' || chr(19968 + (i * 7 % 2000)::INT)"),
    ("手机", {"pii": True}, "'1' || (30 + i % 60) || lpad((i * 7919 % 100000000)::VARCHAR, 8, '0')"),
    ("邮箱", {"pii": True}, "'user' || i || '@mail.example.com'"),
    ("城市", {}, "CASE WHEN i % 3 = 0 THEN '上海' ELSE '北京' END"),
    ("地址", {"pii": True}, "'某某路' || i % 900 || '号' || i % 70 || '室'"),
    ("客户来源", {}, "['广告', '门店', '转介绍', '官网'][1 + i % 4]"),
    ("负责人", {}, "'员工' || i % 50"),
    ("备注", {}, "'第' || i % 1000 || '次跟进, 有意向, 下周再联系'"),
    ("创建时间", {"type": "timestamptz"}, "strftime(TIMESTAMP '2020-01-01' + to_seconds(i * 37), '%Y-%m-%d %H:%M:%S')"),
    ("更新时间", {"type": "timestamptz", "formats": ["ymd"]},
     "strftime(TIMESTAMP '2024-01-01' + to_seconds(i * 17), '%Y/%m/%d %H:%M')"),
    ("生日", {"type": "date", "formats": ["ymd"]}, "strftime(DATE '1970-01-01' + (i % 15000)::INT, '%Y/%-m/%-d')"),
    ("成交金额", {"type": "decimal(12,2)", "formats": ["amount"]}, "'¥' || format('{:,}', i % 99999) || '.00'"),
    ("积分", {"type": "long"}, "i % 5000"),
    ("等级", {"type": "int"}, "i % 7"),
    ("折扣", {"type": "double"}, "(i % 100) / 100.0"),
    ("是否会员", {"type": "boolean", "formats": ["yes_no"]}, "CASE WHEN i % 2 = 0 THEN '是' ELSE '否' END"),
    ("已成交", {"type": "boolean"}, "CASE WHEN i % 2 = 0 THEN 'true' ELSE 'false' END"),
    ("行业", {}, "['零售', '教育', '餐饮'][1 + i % 3]"),
    ("官网", {}, "'https://shop.example.com/p/' || i % 5000"),
)  # fmt: skip


def mapping(*, quick: bool) -> list[Result]:
    """Return the time of ingest with a mapping over that with none but the columns' names."""
    rows = 60_000 if quick else 600_000
    with TemporaryDirectory() as definitions, running_stack() as (settings, folder):
        found = settings.model_copy(update={"definitions": Path(definitions)})
        times: dict[str, list[float]] = {"mapped": [], "plain": []}
        path = folder / "export.csv"
        cells = ", ".join(f'{sql} AS "{name}"' for name, _, sql in _COLUMNS)
        duckdb.sql(f"COPY (SELECT {cells} FROM range({rows}) AS t(i)) TO {literal(str(path))} (HEADER)")
        (Path(definitions) / "sources").mkdir()
        for place in times:
            _define(Path(definitions) / "sources", place)
            aws.s3().upload_file(str(path), found.landing_bucket, f"bench/{place}/export.csv")
        files = {place: list(listing(found.landing_bucket, f"bench/{place}/")) for place in times}
        for _ in range(_ROUNDS):
            lake = catalog.open_catalog(found)
            for name in catalog.table_names(lake):
                lake.drop_table(name)
            for place, taken in times.items():
                taken.append(_timed(lambda place=place: _load(found, files[place], rows)))  # type: ignore[misc]
    ratio = statistics.median(one / other for one, other in zip(times["mapped"], times["plain"], strict=True))
    what = (
        f"CSV of {rows:,} rows × {len(_COLUMNS)} columns, 10 of them typed, time over that with all as text"
    )
    note = f"{statistics.median(times['mapped']):.1f} s against {statistics.median(times['plain']):.1f} s"
    return [Result(what, ratio, "×", 1.15, at_least=False, note=note)]


def _load(found: Settings, files: list[RawFile], rows: int) -> None:
    loaded = sum(record.loaded for record in ingest(found, files).records)
    if loaded != rows:
        raise AssertionError(f"{loaded} of {rows} rows loaded")


def _define(folder: Path, entity: str) -> None:
    columns = [
        {"name": f"c{number}", "from": name, "doc": name, **(said if entity == "mapped" else {})}
        for number, (name, said, _) in enumerate(_COLUMNS)
    ]
    definition = {"source": "bench", "entity": entity, "doc": "Customers", "grain": "one row a customer",
                  "format": "csv", "time_zone": "Asia/Shanghai", "partition": ["day(_loaded_at)"], "sort": ["c0"],
                  "columns": columns}  # fmt: skip
    (folder / f"bench_{entity}.yaml").write_text(yaml.safe_dump(definition, allow_unicode=True), "utf-8")
