from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

COLUMNS = ("record", "name", "phone", "email", "address", "birth_date")
PEOPLE = (
    ("a1", "张伟", "13800138000", None, "杭州市西湖区文三路100号3栋2单元501室", "1980-02-01"),
    ("a2", "张炜", "138 0013 8000", None, "西湖区文三路100号3-2-501", None),
    ("a3", "张先生", "+86 13800138000", None, "浙江省杭州市西湖区文三路100号3幢2单元501", None),
    ("b1", "李娜", "13800138000", "li@example.com", "杭州市西湖区文三路100号3栋2单元501室", "1982-11-30"),
    ("c1", "张伟", "13912345678", None, "北京市朝阳区建国路88号", "1955-07-09"),
    ("d1", "Anna Holt", None, "Anna.Holt@example.com", "12 High Street, Bath BA1 1AA", "1971-03-04"),
    ("d2", "Holt, Ana", None, "anna.holt@example.com", "12 High St., Bath BA1 1AA", "1971-04-03"),
    ("e1", "匿名", None, None, None, "1900-01-01"),
)


@pytest.fixture
def con():
    """Give a connection as a function has it: UTC, and no reading of Python's variables or of files."""
    con = duckdb.connect(config={"threads": "1"})
    con.execute("SET TimeZone='UTC'; SET python_enable_replacements=false; SET enable_external_access=false")
    yield con
    con.close()


@pytest.fixture
def people(con: duckdb.DuckDBPyConnection) -> Callable[..., str]:
    """Make the table `people` of a few records, or of those given, and return its name."""

    def made(rows=PEOPLE, columns=COLUMNS) -> str:
        con.execute(f"CREATE OR REPLACE TABLE people ({', '.join(f'{name} VARCHAR' for name in columns)})")
        con.executemany(
            f"INSERT INTO people VALUES ({', '.join('?' * len(columns))})", [list(row) for row in rows]
        )
        return "people"

    return made
