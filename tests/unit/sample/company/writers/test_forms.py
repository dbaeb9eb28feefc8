"""Tables that companies build themselves: customers in 伙伴云, leads in 简道云."""

from __future__ import annotations

import re
from typing import Any

import pytest


def test_ids_have_the_length_of_their_system(exports: Any) -> None:
    """16 digits, and 24 hexadecimal ones."""
    assert all(re.fullmatch(r"\d{16}", row_id) for row_id in exports["huoban/customers"]["数据ID"])
    assert all(re.fullmatch(r"[0-9a-f]{24}", row_id) for row_id in exports["jiandaoyun/leads"]["数据ID"])


@pytest.mark.parametrize(
    ("entity", "column"), [("huoban/customers", "创建时间"), ("jiandaoyun/leads", "提交时间")]
)
def test_moments_are_typed_in_several_ways(exports: Any, entity: str, column: str) -> None:
    """2026-01-05 13:04:09, 2026/1/5 13:04 and 2026年1月5日 13:04."""
    ways = (
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
        r"\d{4}/\d{1,2}/\d{1,2} \d\d:\d\d",
        r"\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d",
    )
    moments = exports[entity][column]
    counts = [sum(bool(re.fullmatch(way, moment)) for moment in moments) for way in ways]
    assert sum(counts) == len(moments)
    assert min(counts) > 0


def test_rows_say_that_they_are_generated(exports: Any) -> None:
    """In the source of a customer, or what a lead wants."""
    assert set(exports["huoban/customers"]["来源"]) == {"generated sample"}
    assert set(exports["jiandaoyun/leads"]["需求描述"]) == {"generated sample"}
