"""The control group of a segment is one random share for ever, whoever computes it."""

from __future__ import annotations

import hashlib
from statistics import correlation

import duckdb
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.segments.control import draw, in_control, in_control_sql

shares = st.floats(0, 0.5)


def oracle(segment: str, customer: str, share: float) -> bool:
    """The plain rule: the hash as a number between 0 and 1 is smaller than the share."""
    number = int.from_bytes(hashlib.sha256(f"{segment}:{customer}".encode()).digest()[:6], "big")
    return number / 2**48 < int(share * 2**48) / 2**48


@tried(max_examples=60, deadline=None, database=None)
@given(st.text(max_size=12), shares, shares)
def test_a_draw_is_the_share_of_a_hash(customer, share, other):
    """Of any id; a larger share keeps whom a smaller one had; share 0 has nobody."""
    assert in_control("vip", customer, share) is oracle("vip", customer, share)
    small, large = sorted((share, other))
    assert not in_control("vip", customer, small) or in_control("vip", customer, large)
    assert not in_control("vip", customer, 0)


@tried(max_examples=30, deadline=None, database=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=8), shares
)
def test_the_database_draws_the_same(customers, share):
    """Also of ids with quotes, or in other scripts."""
    with duckdb.connect() as con:
        for customer in customers:
            sql = f"SELECT {in_control_sql('vip', 'x', share)} FROM (SELECT ? AS x)"
            (found,) = con.execute(sql, [customer]).fetchone()
            assert found is in_control("vip", customer, share)


def test_draws_never_change():
    """A control group that is drawn anew measures nothing: these are those of the first release."""
    assert (draw("vip", "c1"), draw("sleeping_regulars", "客户")) == ("b84fe803c9d0", "58344c810a35")


def test_a_share_is_as_large_as_it_says_and_segments_draw_apart():
    """Of ten thousand a tenth; who is held out of one segment is no likelier to be held out of another."""
    ids = [f"c{n}" for n in range(10_000)]
    groups = [[in_control(segment, customer, 0.1) for customer in ids] for segment in ("vip", "sleeping")]
    assert all(900 < sum(group) < 1100 for group in groups)
    assert abs(correlation(*groups)) < 0.05
