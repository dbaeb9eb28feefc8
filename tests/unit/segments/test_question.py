"""Whichever way a file says who is in a segment, it is one question, and the tables that it asks are known before."""

from __future__ import annotations

from datetime import date

import pytest

from lakehouse.segments.definition import Segment
from lakehouse.segments.known import Known
from lakehouse.segments.question import WrongQuestionError, question_of, tables_of, text_of

KNOWN = Known({"customer_id": "VARCHAR", "orders": "BIGINT", "as_of": "DATE"}, {}, date(2026, 3, 1))


def segment(**said: object) -> Segment:
    return Segment.model_validate({"name": "s", "title": "S", "doc": "D", **said})


@pytest.mark.parametrize(
    ("said", "tables"),
    [
        ({"where": "orders > 1"}, set()),
        ({"where": "orders > (SELECT avg(orders) FROM marts.customer_360)"}, {"marts.customer_360"}),
        ({"where": "customer_id IN (SELECT customer_id FROM core.deals)"}, {"core.deals"}),
        ({"where": "nonsense ("}, set()),
        ({"select": "SELECT customer_id FROM Core.Orders JOIN marts.rfm USING (customer_id)"}, {"core.orders",
         "marts.rfm"}),
        ({"select": "SELECT customer_id FROM ops.secrets"}, set()),
        ({"who": {"field": "orders", "is": 1}}, set()),
        ({"who": {"field": "core.deals.stage", "is": "x"}}, {"core.deals"}),
        ({"who": {"not": {"field": "churn_risk.chance", "is": 1}}}, {"core.churn_risk", "marts.churn_risk"}),
        ({"who": {"any": [{"count": "Orders", "is": 1}, {"count": "events", "is": 0}]}}, {"core.order_values",
         "core.events"}),
        ({"who": {"count": "ops.deliveries", "is": 1}}, set()),
    ],
)  # fmt: skip
def test_tables_are_known_before_anything_is_asked(said, tables):
    """None of what may not be read."""
    assert tables_of([segment(**said)]) == tables


def test_parameters_stand_in_each_form():
    """Those of the file, or as they are set for one look."""
    days = {"days": {"type": "integer", "default": 3}}
    where = segment(where="orders > $days", parameters=days)
    assert question_of(where, KNOWN).condition == "orders > (3)"
    assert question_of(where, KNOWN, {"days": "5"}).text == "orders > (5)"
    select = segment(select="SELECT customer_id FROM core.orders WHERE a < $as_of - $days", parameters=days)
    assert question_of(select, KNOWN).select.endswith("a < (DATE '2026-03-01') - (3)")
    who = segment(who={"field": "orders", "more_than": "$days"}, parameters=days)
    assert "> (3)" in question_of(who, KNOWN).condition
    assert (text_of(where), text_of(who)) == ("orders > $days", "orders more than $days")
    with pytest.raises(WrongQuestionError, match="parameters: there is no parameter dayz"):
        question_of(where, KNOWN, {"dayz": "5"})


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"where": "orderz > 1"}, "where"), ({"select": "DELETE FROM core.orders"}, "select"),
        ({"who": {"all": [{"field": "orders", "is": 1}, {"field": "orderz", "is": 1}]}}, "who.all.1.field"),
        ({"who": {"field": "orders", "in_last": "$p"}, "parameters": {"p": {"type": "text",
         "default": "3 fortnights"}}}, "who"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_by_its_field(said, where):
    """For the line to be found."""
    with pytest.raises(WrongQuestionError) as told:
        question_of(segment(**said), KNOWN)
    assert told.value.where == where
