"""Texts are compared as people compare them."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.segments.who_tests import folded_sql


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Oslo", " oslo\t", True), ("ＶＩＰ　１", "vip 1", True), ("Café", "CAFE\u0301", True), ("ÅRE", "åre", True),
        ("Oslo", "0slo", False), ("a b", "ab", False), ("\u3000北京\u00a0", "北京", True), ("it's", "IT'S", True),
    ],
)  # fmt: skip
def test_case_blanks_and_width_do_not_count(one, other, equal):
    """Letters do."""
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT {folded_sql('a')} = {folded_sql('b')} FROM (SELECT ? AS a, ? AS b)", [one, other]
        )
        assert found.fetchone() == (equal,)
