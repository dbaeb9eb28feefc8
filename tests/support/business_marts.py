"""What the marts of the business say of the generated company, held against what was planted in it.

A module that has a fixture `company` of one imports these tests: the company is made once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.models import metric
from lakehouse.models.metric_query import metric_sql
from lakehouse.sample.company.policy import CHANNELS, LOSS_REASONS, CrmPolicy

if TYPE_CHECKING:
    from tests.integration.test_sample_company import Company

EVERY_CHANNEL = "SELECT channel, reason, lost FROM marts.loss_reasons WHERE channel <> 'unknown'"


def _error(share: float, count: int) -> float:
    return 4 * math.sqrt(share * (1 - share) / count)


def test_sales_by_line_are_those_of_the_orders(company: Company) -> None:
    """To the cent, in the ledger, in the mart, and as the metric says."""
    worth = company.lake.ask(
        "SELECT sum(gross), sum(discounts), sum(refunds), sum(value) FROM core.order_values"
    )
    assert (
        company.lake.ask("SELECT sum(gross), sum(discounts), sum(refunds), sum(value) FROM core.sales_ledger")
        == worth
    )
    in_mart = company.lake.ask(
        "SELECT sum(gross), sum(discounts), sum(refunds), sum(net) FROM marts.sales_by_product_region"
    )
    assert in_mart == worth
    revenue = metric.load().defined["revenue"]
    assert company.lake.ask(metric_sql(revenue, ())) == [(worth[0][3],)]
    by_category = company.lake.ask(metric_sql(revenue, (), ["category"]))
    assert len(by_category) > 5
    assert "unknown" not in dict(by_category)
    assert sum(value for _, value in by_category) == worth[0][3]


def test_growth_compares_a_month_with_all_that_sold_a_year_ago(company: Company) -> None:
    """What sells no longer is there: the sums of then are those that were sold then."""
    months = company.lake.ask(
        """SELECT month, sum(net), sum(net_month_before), sum(net_year_before)
           FROM marts.sales_by_product_region GROUP BY 1"""
    )
    net = {month: value for month, value, *_ in months}
    assert len(net) >= 24
    for month, _, of_month_before, of_year_before in months:
        before = (
            month.replace(month=month.month - 1) if month.month > 1 else month.replace(month.year - 1, 12)
        )
        assert of_month_before == net.get(before)
        assert of_year_before == net.get(month.replace(year=month.year - 1))


def test_deals_are_won_as_often_as_planted(company: Company) -> None:
    """By the first stage of each pipeline, through which all deals go; outcomes add up to the deals."""
    rows = company.lake.ask(
        "SELECT win_rate, deals - still_there FROM marts.stage_conversion WHERE stage_number = 1"
    )
    closed = sum(deals for _, deals in rows)
    won = sum(rate * deals for rate, deals in rows) / closed
    assert len(rows) == 3
    assert won == pytest.approx(1 - CrmPolicy.lost, abs=_error(CrmPolicy.lost, closed))
    later = company.lake.ask("SELECT min(win_rate) FROM marts.stage_conversion WHERE stage_number = 4")
    assert later[0][0] > won


def test_loss_reasons_are_those_of_the_channel(company: Company) -> None:
    """With the planted shares, over all CRMs that name channel and reason."""
    lost: dict[tuple[str, str], int] = {}
    for channel, reason, count in company.lake.ask(EVERY_CHANNEL):
        lost[channel, reason] = lost.get((channel, reason), 0) + count
    assert {channel for channel, _ in lost} == set(CHANNELS)
    for channel, shares in company.truth.as_json()["plants"]["loss_reasons"].items():
        deals = sum(count for (of, _), count in lost.items() if of == channel)
        for reason in LOSS_REASONS:
            expected = shares[reason]
            assert lost.get((channel, reason), 0) / deals == pytest.approx(
                expected, abs=_error(expected, deals)
            )


def test_orders_are_complained_about_as_planted(company: Company) -> None:
    """Each complaint with a theme; who complains is satisfied less."""
    ((orders,),) = company.lake.ask("SELECT count(*) FROM core.orders")
    ((complaints, themes),) = company.lake.ask(
        "SELECT sum(complaints), count(DISTINCT theme) FILTER (complaints > 0) FROM marts.service_quality"
    )
    planted = company.truth.scenario.plants.complaint_rate
    assert complaints / orders == pytest.approx(planted, abs=_error(planted, orders))
    assert themes == 5
    satisfied = dict(
        company.lake.ask(metric_sql(metric.load().defined["csat"], (), ["is_complaint"], "system = 'crm'"))
    )
    assert satisfied[True] < 0.5 < satisfied[False]


def test_who_leaves_notes_empty_or_pastes_them_ranks_last(company: Company) -> None:
    """Whatever the CRM exports for an empty note."""
    planted = {
        name: habit
        for user_id, name, habit in company.lake.ask(
            f"SELECT user_id, name, habit FROM {company.known('habit_of_user')}"
        )
        for name in (name, user_id, f"0055{int(user_id[1:]):011d}AAA", f"5310001{int(user_id[1:]):012d}")
    }
    wrong: dict[str, Any] = {}
    rows = company.lake.ask(
        """SELECT source, user_id, sum(useful_notes) / sum(activities),
                  sum(pasted_notes) > sum(empty_notes + filler_notes)
           FROM marts.salesperson_data_quality GROUP BY 1, 2 HAVING sum(activities) >= 25"""
    )
    for source, user, useful, pastes in rows:
        found = "careful" if useful > 0.5 else "pasting" if pastes else "empty"
        if found != planted[user]:
            wrong[f"{source}/{user}"] = (found, planted[user], useful)
    assert wrong == {}
    assert {"empty", "pasting", "careful"} <= {planted[user] for _, user, *_ in rows}


def test_phones_that_a_spreadsheet_spoilt_are_invalid(company: Company) -> None:
    """As many as were planted, where the mapping lets them in."""
    invalid = company.lake.ask(
        "SELECT source, invalid FROM marts.data_quality WHERE entity = 'contacts' AND field = 'phone'"
    )
    found = dict(invalid)
    for source, file, column in (("shop", "shop/customers", "phone"), ("crm", "crm/contacts", "phone")):
        assert found[source] == company.truth.dirt[f"{file}.{column}.excel_phone"] > 0, source


def test_a_purchase_has_one_owner_in_each_crm(company: Company) -> None:
    """So the purchases of a CRM's users are no more than those of its customers; users are the CRM's own."""
    rows = company.lake.ask(
        "SELECT source, sum(purchases), sum(buyers) FROM marts.salesperson_repurchase GROUP BY 1"
    )
    of_customers = dict(
        company.lake.ask(
            """SELECT s.source, count(DISTINCT (v.customer_id, v.ordered_on)) FROM core.order_values AS v
               JOIN core.owner_spans AS s USING (customer_id)
               WHERE v.is_order AND v.taken_back_on IS NULL GROUP BY 1"""
        )
    )
    assert len(rows) == 6
    for source, purchases, buyers in rows:
        assert 0 < buyers <= purchases <= of_customers[source]


def test_rain_lifts_chocolate(company: Company) -> None:
    """By as much as was planted, and nothing else by much; the interval is narrow enough to say so."""
    rows = company.lake.ask("SELECT category, lift, low, high FROM marts.weather_lift WHERE weather = 'rain'")
    lifts = {category: (lift, low, high) for category, lift, low, high in rows}
    planted = company.truth.scenario.plants.rain_lift
    lift, low, high = lifts.pop("chocolate")
    assert 0 < low < planted < high < 0.6
    assert lift == pytest.approx(planted, abs=0.15)
    assert len(lifts) >= 7
    assert all(high < planted + 0.1 for _, _, high in lifts.values())
