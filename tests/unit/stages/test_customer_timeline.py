"""A customer's timeline has what every system knows of them, in order of time, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from lakehouse.errors import Terminal
from lakehouse.stages.customer_timeline import ask_timeline
from tests.support.model_cases import fill

TABLES = (
    *(
        "marts.sessions",
        "core.customers",
        "core.responses",
        "core.order_values",
        "core.orders",
        "core.refunds",
    ),
    *("core.deals", "core.deal_stages", "core.tickets", "core.activities", "core.consents"),
    *("core.survey_answers", "core.campaign_members", "core.attendance"),
)


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def timeline(customer: str = "ann", **rows):
    """The rows of a timeline as (day, source, kind, id, what, amount)."""
    given = {name.replace("__", "."): some for name, some in rows.items()}
    given.setdefault("core.customers", [{"customer_id": "ann"}])
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA core; CREATE SCHEMA marts")
        for table in TABLES:
            fill(con, table, given.get(table, ()))
        answer = ask_timeline(con, customer).fetchall()
    return [(moment and moment.day, *row[:4]) for moment, *row, _currency in answer]


def of(who: str, **cells):
    return {"customer_id": who} | cells


def test_what_was_bought_is_in_order_of_time_and_nobody_elses():
    """Sessions, orders, refunds, opened messages; calls stand once, as activities."""
    rows = timeline(
        marts__sessions=[
            of("ann", session_id="s", started_at=at(1), events=3, first_page="/", ordered_at=at(1)),
            of("bob", session_id="x", started_at=at(1), events=3),
        ],
        core__order_values=[
            of("ann", source="shop", order_id="1", ordered_at=at(2), counts_as="sold", amount="9.50"),
            of("bob", source="shop", order_id="2", ordered_at=at(2), counts_as="sold", amount="1"),
        ],
        core__orders=[of("ann", source="shop", order_id="1", channel="web")],
        core__refunds=[
            of("ann", source="shop", refund_id="r", order_id="1", kind="payment", refunded_at=at(3))
        ],
        core__responses=[
            of("ann", source="web", response_id="o", kind="opened", channel="email", responded_at=at(10)),
            of("ann", source="crm", response_id="a", kind="picked up", channel="phone", responded_at=at(5)),
        ],
    )
    assert rows == [
        (1, "web", "session", "s", "3 messages, from /, ordered"),
        (2, "shop", "order", "1", "sold, web"),
        (3, "shop", "refund", "r", "payment, of 1"),
        (10, "web", "opened", "o", "email"),
    ]


def test_what_was_said_is_in_order_of_time():
    """Tickets, activities, consents, surveys, attendance; campaigns without a time are last."""
    ticket = of("ann", source="desk", ticket_id="t", kind="complaint", created_at=at(4))
    call = of("ann", source="crm", activity_id="a", kind="call", direction="outbound", user_id="u1")
    refusal = of("ann", source="crm", consent_id="c", granted=False, purpose="marketing", channel="email")
    rows = timeline(
        core__tickets=[ticket | {"closed_at": at(6), "status": "Closed"}, ticket | {"valid_to": at(5)}],
        core__activities=[call | {"occurred_at": at(5)}],
        core__consents=[refusal | {"learnt_at": at(7)}],
        core__survey_answers=[
            of(
                "ann",
                source="forms",
                answer_id="n",
                survey_id="nps",
                score=9,
                scale_max=10,
                answered_at=at(8),
            )
        ],
        core__campaign_members=[of("ann", source="crm", member_id="m", campaign_id="k", is_control=True)],
        core__attendance=[of("ann", source="club", visit_id="v", activity="yoga", started_at=at(9))],
    )
    assert rows == [
        (4, "desk", "ticket", "t", "complaint, Closed"),
        (5, "crm", "call", "a", "outbound, by u1"),
        (6, "desk", "ticket closed", "t", "complaint, Closed"),
        (7, "crm", "consent", "c", "refused marketing email"),
        (8, "forms", "survey", "n", "nps, 9.0 of 10.0"),
        (9, "club", "attendance", "v", "yoga"),
        (None, "crm", "campaign", "m", "k, control group"),
    ]


def test_a_deals_stages_are_those_of_its_history_else_of_its_versions():
    """A version that keeps the stage is no step; the first one counts from the deal's creation."""
    deal = {"customer_id": "ann", "source": "crm", "created_at": at(1)}
    rows = timeline(
        core__deals=[
            deal | {"deal_id": "d1", "stage": "won", "valid_from": at(9)},
            deal | {"deal_id": "d2", "stage": "new", "valid_from": at(2), "valid_to": at(3)},
            deal | {"deal_id": "d2", "stage": "new", "valid_from": at(3), "valid_to": at(5)},
            deal | {"deal_id": "d2", "stage": "lost", "valid_from": at(5)},
            {"customer_id": "bob", "source": "crm", "deal_id": "d3", "stage": "won", "valid_from": at(4)},
        ],
        core__deal_stages=[
            {"source": "crm", "deal_id": "d1", "change_id": "1", "stage": "offer", "entered_at": at(4)},
            {"source": "crm", "deal_id": "d3", "change_id": "2", "stage": "offer", "entered_at": at(4)},
        ],
    )
    assert [(day, deal_id, stage) for day, _, _, deal_id, stage in rows] == [
        (1, "d2", "new"),
        (4, "d1", "offer"),
        (5, "d2", "lost"),
    ]


def test_who_is_no_customer_is_said_so():
    """With what finds one."""
    with pytest.raises(Terminal, match=r"no customer zed: .*identity explain"):
        timeline("zed")
