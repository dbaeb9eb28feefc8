"""For any rows, in any order: keys are unique, sums are kept, and nothing depends on where a row stands."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.models import registry
from tests.support.model_cases import Row, answer, column, model_of, tied

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = st.integers(0, 40).map(lambda day: START + timedelta(days=day))
MAYBE_DAYS = st.none() | DAYS
FEW = settings(max_examples=25, deadline=None)
TIED = tied(hubspot_id__1="ann", hubspot_id__2="ann", hubspot_id__3="bob", user_id__1="ann", user_id__2="bob")

received = {"_loaded_at": DAYS, "_file_id": st.sampled_from("ab")}
carried = {"source": st.sampled_from(["hubspot", "shop"]), "identifier_value": st.sampled_from("1234")}


def rows_of(**columns: Any) -> st.SearchStrategy[list[Row]]:
    """Return lists of rows, each at a place of its own, in any order."""
    numbered = st.lists(st.fixed_dictionaries(received | carried | columns), max_size=12).map(
        lambda rows: [row | {"_row": number} for number, row in enumerate(rows)]
    )
    return numbered.flatmap(st.permutations)


contacts = rows_of(
    contact_id=st.sampled_from(["hubspot:1", "hubspot:2"]),
    identifier_type=st.just("hubspot_id"),
    city=st.none() | st.sampled_from(["Rome", "Oslo"]),
    created_at=MAYBE_DAYS,
    updated_at=MAYBE_DAYS,
)
orders = rows_of(
    order_id=st.sampled_from("123"),
    identifier_type=st.just("user_id"),
    ordered_at=DAYS,
    amount=st.decimals(0, 999, places=2),
)
deals = rows_of(
    deal_id=st.sampled_from("12"),
    identifier_type=st.just("hubspot_id"),
    stage=st.sampled_from(["open", "won"]),
    updated_at=MAYBE_DAYS,
)


def shuffled(rows: list[Row]) -> list[Row]:
    return random.Random(len(rows)).sample(rows, len(rows))


def same_in_any_order(table: str, name: str, rows: list[Row]) -> list[Row]:
    """Return what the model says; fail when it says something else of the same rows, or names a key twice."""
    told = answer(table, core__identities=TIED, **{name: rows})
    assert told == answer(table, core__identities=TIED, **{name: shuffled(rows)})
    keys = [tuple(row[part] for part in model_of(table).contract.key) for row in told]
    assert len(set(keys)) == len(keys)
    assert all(part is not None for key in keys for part in key)
    return told


@FEW
@given(contacts)
def test_versions_of_a_contact_follow_each_other_without_gaps(rows):
    """Each version ends where the next begins, the last is open, and neighbours differ."""
    told = same_in_any_order("core.contacts", "mapped__contacts", rows)
    assert {row["contact_id"] for row in told} == {row["contact_id"] for row in rows}
    for earlier, later in pairwise([*told, None]):
        one = ("source", "contact_id")
        follows = later is not None and [later[part] for part in one] == [earlier[part] for part in one]
        assert earlier["valid_to"] == (later["valid_from"] if follows else None)
        said = ("city", "customer_id")
        assert not follows or [later[name] for name in said] != [earlier[name] for name in said]


@FEW
@given(orders)
def test_each_order_counts_once_with_its_newest_version(rows):
    """What is received again replaces what it corrects; nothing is summed twice."""
    told = same_in_any_order("core.orders", "mapped__orders", rows)
    newest_of: dict[Any, Row] = {}
    for row in sorted(rows, key=lambda row: (row["_loaded_at"], row["_file_id"], row["_row"])):
        newest_of[row["source"], row["order_id"]] = row
    assert sum(column(told, "amount")) == sum(row["amount"] for row in newest_of.values())
    activity = answer("marts.daily_activity", core__orders=told)
    assert sum(column(activity, "revenue")) == sum(column(told, "amount"))


@FEW
@given(deals)
def test_each_deal_has_one_version_that_holds(rows):
    """And the same history, whatever came when."""
    told = same_in_any_order("core.deals", "mapped__deals", rows)
    open_ones = [(row["source"], row["deal_id"]) for row in told if row["valid_to"] is None]
    assert sorted(open_ones) == sorted({(row["source"], row["deal_id"]) for row in rows})


buyers = st.lists(
    st.fixed_dictionaries(
        {
            "recency_days": st.integers(0, 5),
            "purchase_days": st.integers(1, 4),
            "revenue": st.sampled_from([Decimal("1.00"), Decimal("2.50"), Decimal("9.99")]),
        }
    ),
    max_size=30,
).map(
    lambda rows: [
        row | {"customer_id": f"c{n:02d}", "orders": 1, "as_of": date(2026, 3, 1)}
        for n, row in enumerate(rows)
    ]
)


@FEW
@given(buyers)
def test_fifths_follow_the_ranks(rows):
    """Digits are 1 to 5, equal for equals, never lower for more, and the same whatever order the rows come in."""
    told = answer("marts.rfm", marts__customer_360=rows)
    assert told == answer("marts.rfm", marts__customer_360=shuffled(rows))
    for digit, measure, more in (("r", "recency_days", -1), ("f", "frequency", 1), ("m", "monetary", 1)):
        ranked = sorted(told, key=lambda row: more * row[measure])
        digits = column(ranked, digit)
        assert digits == sorted(digits)
        assert set(digits) <= {1, 2, 3, 4, 5}
        for one, other in pairwise(ranked):
            assert (one[measure] == other[measure]) <= (one[digit] == other[digit])


def test_every_model_has_a_key_to_be_unique_in():
    """The promise of uniqueness stands in each contract."""
    assert [model.table for model in registry.load().in_order if not model.contract.key] == []
