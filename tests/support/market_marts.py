"""What the marts of market and goods say of the generated company, held against what was planted in it.

A module that has a fixture `company` of one imports these tests: the company is made once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from lakehouse.models import metric
from lakehouse.models.metric_query import metric_sql
from lakehouse.sample.company.world.adverts import PLATFORMS
from tests.support.company_queries import ZONE
from tests.support.model_cases import model_of

if TYPE_CHECKING:
    from tests.integration.test_sample_company import Company

RULES = ("first", "last", "position", "data")
# days of each campaign on a platform, with the sessions of the site on them, with an order or without
ADVERTISED = """
    WITH running AS (
        SELECT campaign_id, channel AS platform, starts_on, least(ends_on, DATE '2026-06-30') AS ends_on
        FROM core.campaigns WHERE kind = 'ad' AND valid_to IS NULL
    ), many AS (
        SELECT s.session_id, s.ordered_at IS NOT NULL AS orders, s.campaign_name, r.campaign_id, r.platform
        FROM marts.sessions AS s JOIN running AS r ON s.started_on BETWEEN r.starts_on AND r.ends_on WHERE NOT s.is_app
    )
"""


def _error(share: float, count: int) -> float:
    return 4 * math.sqrt(share * (1 - share) / count)


def test_the_effect_of_campaigns_is_what_was_planted(company: Company) -> None:
    """Of twelve waves whose members the truth knows, all but a few intervals hold it, and none says that it harms."""
    members = f"""(
        SELECT DISTINCT 'truth' AS source, concat(person_id, '-', wave) AS member_id, c.customer_id,
            wave::VARCHAR AS campaign_id,
            NOT treated AS is_control, false AS responded,
            (DATE '2024-07-01' + 7 * (50 + 4 * wave)::INT)::TIMESTAMP AT TIME ZONE '{ZONE}' AS joined_at
        FROM {company.known("campaign_assignment")}
        JOIN {company.known("person_of_account")} AS a USING (person_id)
        JOIN core.contacts AS c ON c.source = 'shop' AND c.contact_id = a.customer_id AND c.valid_to IS NULL)"""
    model = model_of("marts.campaign_effect").rows_sql.replace("core.campaign_members", members)
    rows = company.lake.ask(
        f"SELECT order_lift_low, order_lift, order_lift_high, verdict, days, treated_orders FROM ({model})"
    )
    planted = company.truth.scenario.plants.campaign_uplift
    assert len(rows) == 12
    assert {days for *_, days, _ in rows} == {14}
    assert sum(low <= planted <= high for low, _, high, *_ in rows) >= 10
    assert all(verdict != "harms" for *_, verdict, _, _ in rows)
    orders = sum(count for *_, count in rows)
    mean = sum(lift * count for _, lift, *_, count in rows) / orders
    assert mean == pytest.approx(planted, abs=0.1)


def test_every_rule_of_credit_comes_to_all_revenue(company: Company) -> None:
    """To the cent: over channels, over months, and with the advertised part in the returns on ad spend."""
    sums = ", ".join(f"sum(net_{rule})" for rule in RULES)
    ((revenue,),) = company.lake.ask("SELECT sum(value) FROM core.order_values")
    assert company.lake.ask(f"SELECT {sums} FROM marts.channel_attribution") == [(revenue,) * 4]
    by_month = dict(company.lake.ask(metric_sql(metric.load().defined["revenue"], (), ["month"])))
    for month, *found in company.lake.ask(f"SELECT month, {sums} FROM marts.channel_attribution GROUP BY 1"):
        assert found == [by_month.get(month, 0)] * 4
    values = ", ".join(f"sum({rule}_value)" for rule in RULES)
    advertised = company.lake.ask(f"SELECT {values} FROM core.order_credits WHERE campaign_name IS NOT NULL")
    assert company.lake.ask(f"SELECT {sums} FROM marts.return_on_ad_spend") == advertised
    assert advertised[0][0] > 0
    ((unmatched,),) = company.lake.ask("SELECT count(*) FROM marts.return_on_ad_spend WHERE platform = ''")
    assert unmatched == 0


def test_advertising_brings_the_planted_part_of_visits_and_orders(company: Company) -> None:
    """Each platform its share of orders while a campaign of it runs; all of them theirs of visits without one."""
    planted = dict(zip(PLATFORMS, company.truth.scenario.plants.advert_orders, strict=True))
    rows = company.lake.ask(
        f"""{ADVERTISED} SELECT platform, count(*), count(*) FILTER (campaign_name = campaign_id)
            FROM many WHERE orders GROUP BY 1"""
    )
    assert {platform for platform, *_ in rows} == set(PLATFORMS)
    for platform, sessions, brought in rows:
        assert brought / sessions == pytest.approx(planted[platform], abs=_error(planted[platform], sessions))
    ((visits, by_advert),) = company.lake.ask(
        f"""{ADVERTISED} SELECT count(DISTINCT session_id),
                count(DISTINCT session_id) FILTER (campaign_name = campaign_id)
            FROM many WHERE NOT orders"""
    )
    share = company.truth.scenario.plants.advert_visits
    assert by_advert / visits == pytest.approx(share, abs=_error(share, visits))


def test_what_search_brings_is_worth_more_than_what_douyin_brings(company: Company) -> None:
    """By each rule, for each unit of money, as was planted; the channel's chance to lead to an order says so, too."""
    found = {
        platform: returns
        for platform, *returns in company.lake.ask(
            f"""SELECT platform, {", ".join(f"sum(net_{rule}) / sum(spend)" for rule in RULES)}
                FROM marts.return_on_ad_spend GROUP BY 1"""
        )
    }
    for number in range(len(RULES)):
        search, wechat, douyin = (found[name][number] for name in ("search", "wechat", "douyin"))
        assert search > 1.5 * wechat > 1.5 * douyin
    ((search, social),) = company.lake.ask(
        """SELECT sum(orders_data) FILTER (channel = 'paid search') / sum(visits) FILTER (channel = 'paid search'),
                  sum(orders_data) FILTER (channel = 'paid social') / sum(visits) FILTER (channel = 'paid social')
           FROM marts.channel_attribution"""
    )
    assert search > 1.3 * social


def test_clothes_that_come_back_the_day_after_are_in_the_returns(company: Company) -> None:
    """With their reason, a day after the order, at the planted rate of the orders that were all about them."""
    rows = company.lake.ask(
        """SELECT category, sum(lines_returned), min(median_days), max(median_days) FROM marts.returns
           WHERE reason = '尺码不合适' GROUP BY 1 ORDER BY 2 DESC"""
    )
    assert rows[0][0] == "apparel"
    assert rows[0][2:] == (1, 1)
    assert rows[0][1] > 0.7 * sum(
        count for _, count, *_ in rows
    )  # others are further lines of the same orders
    ((lines, own),) = company.lake.ask(
        """SELECT count(*), count(*) FILTER (f.category = 'apparel') FROM core.sales_ledger AS l
           JOIN core.sales_ledger AS f
               ON f.source = l.source AND f.order_id = l.order_id AND f.line_id = '1' AND f.is_order
           WHERE l.is_order AND l.category = 'apparel' AND l.source = 'shop'"""
    )
    ((sold, back),) = company.lake.ask(
        """SELECT count(DISTINCT (l.source, l.order_id, l.line_id)), count(DISTINCT (l.order_id, l.line_id)) FILTER (
               r.reason = '尺码不合适') FROM core.sales_ledger AS l
           LEFT JOIN core.returns AS r ON r.source = l.source AND r.order_id = l.order_id
           WHERE l.is_order AND l.category = 'apparel' AND l.source = 'shop'"""
    )
    assert sold == lines
    planted = company.truth.scenario.plants.next_day_returns * own / lines
    assert back / sold == pytest.approx(planted, abs=_error(planted, sold))
    ((in_mart, sold_in_mart),) = company.lake.ask(
        "SELECT sum(units_returned), sum(units_sold) FROM marts.returns WHERE reason = 'any' AND category = 'apparel'"
    )
    assert 0.1 < in_mart / sold_in_mart < 0.25


def test_stock_is_that_of_the_last_count(company: Company) -> None:
    """Of all places together; sales in all are those of the ledger."""
    rows = company.lake.ask(
        """SELECT product_id, on_hand, sold_90d FROM marts.stock_cover WHERE place_id = 'all' ORDER BY 1"""
    )
    assert rows == company.lake.ask(
        """WITH last AS (
               SELECT product_id, place_id, arg_max(on_hand, counted_at) AS on_hand
               FROM core.stock_levels GROUP BY 1, 2)
           SELECT product_id, sum(on_hand), (
               SELECT sum(quantity) FROM core.sales_ledger AS l WHERE l.product_id = last.product_id AND is_order
               AND day BETWEEN DATE '2026-06-30' - 89 AND DATE '2026-06-30'
               AND coalesce(taken_back_on > DATE '2026-06-30', true)
           ) FROM last GROUP BY 1 ORDER BY 1"""
    )
    assert len(rows) > 5


def test_promotions_lift_what_price_sensitive_people_wait_for(company: Company) -> None:
    """Regular goods, by no more than if all that such people buy were their favourite; chocolate and baby goods not."""
    rows = company.lake.ask("SELECT category, lift, low, high FROM marts.sales_lift WHERE kind = 'promotion'")
    lifts = {category: (lift, low, high) for category, lift, low, high in rows}
    for category in ("chocolate", "baby"):
        _, low, high = lifts.pop(category)
        assert low < 0 < high
    lifts.pop("coffee")  # bought in fixed cycles by many
    plants = company.truth.scenario.plants
    waiting = plants.price_sensitive
    most = (1 - waiting + waiting * plants.promoted_factor) / (
        1 - waiting + waiting * plants.full_price_factor
    ) - 1
    assert len(lifts) == 5
    assert sum(low > 0 for _, low, _ in lifts.values()) >= 4
    assert all(low < most for _, low, _ in lifts.values())


def test_holidays_lift_nothing_where_nothing_was_planted(company: Company) -> None:
    """Of intervals of 95 % few leave out zero; those of many days are narrow enough to say so."""
    rows = company.lake.ask(
        "SELECT low, high FROM marts.sales_lift WHERE kind = 'holiday' AND lift IS NOT NULL"
    )
    beyond = sum(low > 0 or high < 0 for low, high in rows)
    assert len(rows) > 40
    assert beyond / len(rows) < 0.15
    spring = company.lake.ask(
        "SELECT count(*) FILTER (high - low < 1.5), count(*) FROM marts.sales_lift WHERE occasion = '春节'"
    )
    assert spring[0][0] > spring[0][1] / 2


def test_households_are_those_who_live_together(company: Company) -> None:
    """Nobody with a stranger; nearly all whose address a CRM knows; no two members are one customer."""
    members = f"""
        SELECT customer_id, min(t.person_id) AS person_id, count(address) > 0 AS has_address
        FROM core.contacts AS c JOIN {company.known("person_of_contact")} AS t USING (source, contact_id)
        WHERE c.valid_to IS NULL GROUP BY 1 HAVING count(DISTINCT t.person_id) = 1"""
    pairs = f"""
        WITH members AS ({members}), true_of AS (
            SELECT customer_id, has_address, h.household_id AS household FROM members
            JOIN {company.known("household_of_person")} AS h USING (person_id)
        )"""
    ((together, strangers),) = company.lake.ask(
        f"""{pairs} SELECT count(*) FILTER (a.household = b.household), count(*) FILTER (a.household <> b.household)
            FROM marts.households AS x JOIN marts.households AS y USING (household_id)
            JOIN true_of AS a ON a.customer_id = x.customer_id JOIN true_of AS b ON b.customer_id = y.customer_id
            WHERE x.customer_id < y.customer_id"""
    )
    assert strangers == 0
    assert together > 300
    ((known, found),) = company.lake.ask(
        f"""{pairs} SELECT count(*), count(*) FILTER (x.household_id = y.household_id)
            FROM true_of AS a JOIN true_of AS b ON a.household = b.household AND a.customer_id < b.customer_id
            LEFT JOIN marts.households AS x ON x.customer_id = a.customer_id
            LEFT JOIN marts.households AS y ON y.customer_id = b.customer_id WHERE a.has_address AND b.has_address"""
    )
    assert found / known > 0.95


def test_who_stopped_is_less_loyal(company: Company) -> None:
    """Of one who stopped and one who did not, the second has the higher index in four pairs of five."""
    rows = company.lake.ask(
        f"""SELECT stopped_on IS NULL, loyalty FROM marts.loyalty_index JOIN (
                SELECT c.customer_id, min(person_id) AS person_id FROM core.contacts AS c
                JOIN {company.known("person_of_account")} AS a ON a.customer_id = c.contact_id
                WHERE c.source = 'shop' AND c.valid_to IS NULL GROUP BY 1 HAVING count(DISTINCT person_id) = 1
            ) USING (customer_id) JOIN {company.known("persons")} USING (person_id)"""
    )
    stayed = [loyalty for stays, loyalty in rows if stays]
    stopped = [loyalty for stays, loyalty in rows if not stays]
    wins = sum((one > other) + (one == other) / 2 for one in stayed for other in stopped)
    assert wins / (len(stayed) * len(stopped)) > 0.8
    mean = sum(loyalty for _, loyalty in company.lake.ask("SELECT 1, loyalty FROM marts.loyalty_index"))
    assert mean / len(company.lake.ask("SELECT 1 FROM marts.loyalty_index")) == pytest.approx(50, abs=0.01)


def test_complaints_of_products_are_all_complaints(company: Company) -> None:
    """Each once, by theme; where an order has one product it is that one."""
    by_theme = "SELECT theme, sum(complaints) FROM {} WHERE complaints > 0 GROUP BY 1 ORDER BY 1"
    assert company.lake.ask(by_theme.format("marts.complaint_themes")) == company.lake.ask(
        by_theme.format("marts.service_quality")
    )
    ((named,),) = company.lake.ask("SELECT count(*) FROM marts.complaint_themes WHERE product IS NOT NULL")
    assert named > 100


def test_conversion_is_orders_over_visits(company: Company) -> None:
    """In each month as of each side alone; in months without a visit there is none."""
    known = metric.load().defined
    orders = dict(company.lake.ask(metric_sql(known["orders"], (), ["month"])))
    visits = dict(company.lake.ask(metric_sql(known["visits"], (), ["month"])))
    found = dict(company.lake.ask(metric_sql(known["conversion"], (), ["month"])))
    assert found.keys() == orders.keys() | visits.keys()
    for month, rate in found.items():
        if month not in visits:
            assert rate is None
        else:
            assert rate == pytest.approx(orders.get(month, 0) / visits[month])
