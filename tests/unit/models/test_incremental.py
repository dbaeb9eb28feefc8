"""Each kind of change is found, touches the rows that it touches, and where it cannot be told all rows are computed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models.model import Appended, ByGrain
from lakehouse.models.model_file import parse
from lakehouse.models.policy import IncrementalPolicy
from tests.support.model_looks import DAY, Step, looks

__all__ = ["looks"]

NOTHING = Step(None, None, None, None, None, [], 20, "UTC", "USD", delete=False)
ORDER = {
    "source": "shop", "order_id": "O1", "customer_id": "ann", "ordered_on": DAY.date(), "counts_as": "sold",
    "is_order": True, "value": Decimal(5), "gross": Decimal(5), "discounts": Decimal(0), "refunds": Decimal(0),
    "unvalued": False,
}  # fmt: skip
DEAL = {
    "source": "crm", "deal_id": "D1", "customer_id": "ann", "amount": Decimal(9), "created_at": DAY, "valid_from": DAY,
    "is_closed": False,
}  # fmt: skip
YES = {"customer_id": "ann", "address": "a@x.cn", "purpose": "marketing", "channel": "email", "allowed": True}
TIES = {("user_id", "u1"): "ann", ("anonymous_id", "d1"): "bob"}


def event(number: int, user: str | None, device: str | None = None) -> dict:
    return {
        "message_id": f"m{number}", "user_id": user, "anonymous_id": device, "_loaded_at": DAY,
        "timestamp": DAY + timedelta(days=number),
    }  # fmt: skip


START = NOTHING._replace(
    customers=frozenset(["ann", "bob", "cleo", "dan"]),
    orders={"O1": ORDER, "O2": ORDER | {"order_id": "O2", "customer_id": "cleo"}},
    deals={"D1": DEAL},
    consents={"ann": YES},
    ties=TIES,
    events=[
        event(1, "u1"),
        event(2, None, "d1"),
        event(3, None, "d2"),
        event(4, "u1", "d1"),
        event(5, "u2", "d1"),  # of the device's owner while nobody knows the user
    ],
)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        pytest.param({"orders": {"O1": ORDER}}, "1 of 4 rows", id="an order is gone"),
        pytest.param({"orders": {"O1": ORDER | {"customer_id": "bob"}, "O2": START.orders["O2"]}}, "2 of 4 rows",
                     id="an order became another customer's"),
        pytest.param({"orders": START.orders | {"O3": ORDER | {"order_id": "O3", "customer_id": "bob"}}}, "1 of 4 rows",
                     id="an order of somebody whose device another user has, too"),
        pytest.param({"ties": TIES | {("user_id", "u2"): "cleo"}}, "2 of 4 rows",
                     id="a user became known, whose events were the device's owner's"),
        pytest.param({"ties": TIES | {("user_id", "u2"): "cleo"}, "events": [event(6, "u2", "d1")]}, "2 of 4 rows",
                     id="the same, with events of its own"),
        pytest.param({"deals": {"D1": DEAL | {"amount": None}}}, "1 of 4 rows", id="a deal changed"),
        pytest.param({"consents": {}}, "1 of 4 rows", id="an answer is gone"),
        pytest.param({"events": [event(4, "u1")]}, "1 of 4 rows", id="somebody known was seen"),
        pytest.param({"events": [event(4, "u1", "d1")]}, "1 of 4 rows", id="the user counts before the device"),
        pytest.param({"events": [event(4, None, "d9")]}, "0 of 4 rows", id="somebody unknown was seen"),
        pytest.param({"ties": TIES | {("anonymous_id", "d2"): "dan"}}, "1 of 4 rows", id="a device became known"),
        pytest.param({"ties": TIES | {("user_id", "u1"): "dan"}}, "2 of 4 rows", id="a user became another's"),
        pytest.param({"ties": {("user_id", "u1"): "ann"}}, "2 of 4 rows", id="a device is nobody's any more"),
        pytest.param({"customers": frozenset(["ann", "bob", "cleo"])}, "1 of 4 rows", id="a customer is gone"),
        pytest.param({"day": 21}, "all rows: as_of changed", id="another day"),
        pytest.param({"zone": "Asia/Shanghai"}, "all rows: time_zone changed", id="another zone"),
        pytest.param({"currency": "EUR"}, "all rows: core.home_currency changed", id="another currency"),
        pytest.param({"delete": True}, "all rows: core.activity_days did not only grow", id="events were deleted"),
    ],
)  # fmt: skip
def test_each_kind_of_change_touches_its_rows(looks, change, how):
    """And after it the rows are those that all inputs give: `looks` compares."""
    assert looks([START, NOTHING._replace(**change)]) == ["all rows: its rows were never computed", how]


@pytest.mark.parametrize(
    ("policy", "change", "how"),
    [
        (
            {"least_rows": 500},
            {"consents": {}},
            "all rows: it and what says what changed have fewer than 500 rows",
        ),
        (
            {"largest_looking": 0.0},
            {"customers": frozenset(["ann", "bob", "cleo"])},
            "all rows: to look which changed is no cheaper than all, by the last runs",
        ),
        ({"largest_share": 0.2}, {"consents": {}}, "all rows: 1 of its 4 rows may differ"),
    ],
)
def test_where_all_rows_are_no_dearer_all_are_computed(looks, monkeypatch, policy, change, how):
    """Finding out what changed costs, too."""
    for name, value in policy.items():
        monkeypatch.setattr(IncrementalPolicy, name, value)
    assert looks([START, NOTHING._replace(**change)])[-1] == how


HEADER = """/*
doc: Mine
grain: one row a customer
key: [customer_id]
columns:
  - {{name: customer_id, doc: Customer}}
incremental: {incremental}
*/
SELECT customer_id FROM marts.rfm {more}
"""


@pytest.mark.parametrize(
    ("incremental", "more", "says"),
    [
        (
            "{by: customer_id, of: {marts.rfm: customer_id}}",
            "",
            ByGrain("customer_id", {"marts.rfm": "customer_id"}),
        ),
        ("{appended: marts.rfm}", "", Appended("marts.rfm")),
        (
            "{by: customer_id, of: {marts.rfn: customer_id}}",
            "",
            "does not read marts.rfn; did you mean marts.rfm",
        ),
        (
            "{by: customer, of: {marts.rfm: customer_id}}",
            "",
            "there is no column customer; did you mean customer_id",
        ),
        (
            "{appended: marts.rfm}",
            "JOIN core.customers USING (customer_id)",
            "the SELECT reads other tables, too",
        ),
        ("{by: customer_id, appended: marts.rfm}", "", "say either `appended` or `by`"),
        ("{}", "", "say either `appended` or `by`"),
        ("{grain: x}", "", "grain: unknown name"),
    ],
)
def test_a_header_says_how_rows_follow_from_rows(incremental, more, says):
    """What it says wrong is told before anything is computed by it."""
    text = HEADER.format(incremental=incremental, more=more)
    if isinstance(says, str):
        with pytest.raises(BadDefinition) as caught:
            parse(text, "marts/mine.sql")
        assert says in str(caught.value)
    else:
        assert parse(text, "marts/mine.sql").incremental == says
