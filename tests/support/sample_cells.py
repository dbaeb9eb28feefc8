"""What samples are made of: people who are not, and the tables, workbooks and lines that tell of them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from tests.support.workbooks import cell

if TYPE_CHECKING:
    from collections.abc import Iterable

Cells = tuple[Any, ...]


def name(n: int) -> str:
    return (
        "赵钱孙李周吴郑王冯陈"[n % 10]
        + "样"
        + "一二三四五六七八九十"[n // 10 % 10]
        + "甲乙丙丁戊己庚辛壬癸"[n % 10]
    )


def phone(n: int) -> str:
    return f"1999900{n:04}"


def mail(n: int) -> str:
    return f"sample{n}@example.com"


def moment(day: float) -> str:
    """Return a cell that holds a date and time as Excel does: 46000 is 2025-12-09."""
    return cell(day, 2)


def sheet(*rows: Iterable[Any]) -> str:
    return "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)


def table(header: str, *rows: Cells, end: str = "\r\n", delimiter: str = ",") -> bytes:
    """Return a CSV; `header` has its names between commas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, delimiter=delimiter)
    writer.writerows([header.split(","), *rows])
    return out.getvalue().encode()


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
