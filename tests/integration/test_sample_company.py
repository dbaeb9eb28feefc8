"""The generated company's exports, of every system, land through the mappings that ship; what was planted is there.

Everything is asked of `core.*` with plain SQL, and held against the truth that was written beside the exports.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import settings
from lakehouse.sample.company import Truth, write
from lakehouse.sample.company.world.scenario import CRMS
from lakehouse.stages.check_references import count_references
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.run import MaintenanceContext, maintain
from tests.support import people_score, planted_behaviour
from tests.support.business_marts import (  # noqa: F401 - tests of the same company
    test_a_purchase_has_one_owner_in_each_crm,
    test_deals_are_won_as_often_as_planted,
    test_growth_compares_a_month_with_all_that_sold_a_year_ago,
    test_loss_reasons_are_those_of_the_channel,
    test_orders_are_complained_about_as_planted,
    test_phones_that_a_spreadsheet_spoilt_are_invalid,
    test_rain_lifts_chocolate,
    test_sales_by_line_are_those_of_the_orders,
    test_who_leaves_notes_empty_or_pastes_them_ranks_last,
)
from tests.support.company_queries import HABITS, JOINED, ORDERED, ZONE
from tests.support.file_claims import false_claims
from tests.support.filled_lake import Filled, Place, filled_lake
from tests.support.market_marts import (  # noqa: F401 - tests of the same company
    test_advertising_brings_the_planted_part_of_visits_and_orders,
    test_clothes_that_come_back_the_day_after_are_in_the_returns,
    test_complaints_of_products_are_all_complaints,
    test_conversion_is_orders_over_visits,
    test_every_rule_of_credit_comes_to_all_revenue,
    test_holidays_lift_nothing_where_nothing_was_planted,
    test_households_are_those_who_live_together,
    test_promotions_lift_what_price_sensitive_people_wait_for,
    test_stock_is_that_of_the_last_count,
    test_the_effect_of_campaigns_is_what_was_planted,
    test_what_search_brings_is_worth_more_than_what_douyin_brings,
    test_who_stopped_is_less_loyal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUSTOMERS = 2_500
# a spreadsheet's damage is told where the mapping says that a column holds phones; elsewhere it stays as typed
SPOILT = {
    ("wukong", "customers"): "手机",
    ("huoban", "customers"): "手机",
    ("jiandaoyun", "leads"): "手机",
    ("douyin", "leads"): "电话",
    ("wechat", "leads"): "电话",
}


@dataclass
class Company:
    """A company of every CRM: its truth, the folder of its files, and the lake that they are in."""

    truth: Truth
    folder: Path
    lake: Filled

    @property
    def places(self) -> list[Place]:
        """The sources and entities that it has files of."""
        return [(source, entity) for source, entity in (place.split("/") for place in self.truth.rows)]

    def known(self, name: str) -> str:
        """Return the SQL of a table of the truth."""
        return f"read_parquet('{self.folder}/truth/{name}-*.parquet')"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company") / "out"
    truth = write(folder, customers=CUSTOMERS, seed=3)
    paths = {tuple(place.split("/")): next((folder / place).iterdir()) for place in truth.rows}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKEHOUSE_AS_OF", planted_behaviour.AS_OF)
        patch.setenv("LAKEHOUSE_TIME_ZONE", ZONE)
        with filled_lake(tmp_path_factory.mktemp("lake"), paths) as lake:  # type: ignore[arg-type]
            lake.con.execute(ORDERED)
            yield Company(truth, folder, lake)


def _error(share: float, count: int) -> float:
    return 4 * math.sqrt(share * (1 - share) / count)


def test_every_row_is_loaded_or_set_aside_for_a_planted_fault(company: Company) -> None:
    """As many rows as the truth counts come in; only phones that a spreadsheet spoilt are set aside."""
    assert company.lake.unbalanced == ()
    assert company.lake.wrong == []
    for place in company.places:
        record, name = company.lake.records[place], "/".join(place)
        again = company.truth.dirt.get(f"{name}.rows.duplicate_row", 0) if name == "web/events" else 0
        spoilt = company.truth.dirt[f"{name}.{SPOILT[place]}.excel_phone"] if place in SPOILT else 0
        assert (record.received, record.duplicates) == (company.truth.rows[name], again), name
        assert Counter(company.lake.set_aside.get(place, {}).values()) == Counter({"bad_phone": spoilt}), name
    assert sum(map(len, company.lake.set_aside.values())) > 0


def test_core_has_every_contact_and_lead_of_whom_the_truth_knows(company: Company) -> None:
    """Under the id that the truth gives, in each CRM and on each platform; but for those that were set aside."""
    for table, key, record in (("contacts", "contact_id", "contact"), ("leads", "lead_id", "lead")):
        rows = company.lake.ask(
            f"""SELECT coalesce(c.source, t.source), count(c.{key}), count(t.{key}), count(c.{key} = t.{key})
                FROM (SELECT * FROM core.{table} WHERE source <> 'shop') AS c
                FULL JOIN {company.known(f"person_of_{record}")} AS t USING (source, {key}) GROUP BY 1"""
        )
        lost = {source for (source, entity) in SPOILT if entity in (table, "customers") and source != "shop"}
        sources = {source for source, *_ in rows}
        assert sources == (
            {"hubspot", "salesforce", "zoho", "wukong", "huoban", "crm"}
            if table == "contacts"
            else {"salesforce", "zoho", "crm", "jiandaoyun", "douyin", "wechat", "google"}
        )
        for source, found, told, both in rows:
            assert found == both > 0, source
            assert told == found or (source in lost and told - found <= 5), source


def test_accounts_orders_and_deals_are_all_there(company: Company) -> None:
    """One current row for each that the truth counts."""
    facts, dirt = company.truth.facts, company.truth.dirt
    accounts = "SELECT count(*) FROM core.contacts WHERE source = 'shop' AND valid_to IS NULL"
    assert company.lake.ask(accounts) == [(facts["accounts"],)]
    orders = company.truth.rows["shop/orders"] - dirt["shop/orders.rows.duplicate_row"]
    found = company.lake.ask(
        """SELECT source, count(*), count(DISTINCT order_id), sum(amount), coalesce(any_value(redeemed), sum(discount))
           FROM core.orders LEFT JOIN (
               SELECT source, sum(amount) AS redeemed FROM core.coupon_redemptions GROUP BY 1
           ) USING (source) GROUP BY 1 ORDER BY 1"""
    )
    assert found[0][:3] == ("shop", orders, orders)
    assert [source for source, *_ in found] == ["shop", "shopify", "woocommerce"]
    made = sum(count for name, count in facts.items() if name.startswith("orders_"))
    assert sum(ids for _, _, ids, *_ in found) == made
    lines = """SELECT source, count(*), sum(amount) FROM core.order_items GROUP BY 1 ORDER BY 1"""
    places = ("shop/order_items", "shopify/orders", "woocommerce/order_export")
    written = [company.truth.rows[place] for place in places]
    for (_, _, ids, amount, off), (_, count, of_lines), rows in zip(
        found, company.lake.ask(lines), written, strict=True
    ):
        assert count == rows > ids > 1_000
        assert amount == of_lines - off > 0
    deals = dict(
        company.lake.ask("SELECT source, count(*) FROM core.deals WHERE valid_to IS NULL GROUP BY 1")
    )
    written = {
        source: company.truth.rows[f"{source}/{entity}"]
        for source, entity in (
            ("hubspot", "deals"),
            ("salesforce", "opportunities"),
            ("zoho", "deals"),
            ("wukong", "deals"),
            ("crm", "deals"),
        )
    }
    assert deals == written


def test_every_record_of_an_account_belongs_to_a_customer(company: Company) -> None:
    """What a mapping says of whose a record is, identity knows: of orders, deals, activities, tickets, leads."""
    for table in ("orders", "deals", "activities", "tickets", "leads", "coupons", "memberships"):
        ((nobodys, rows),) = company.lake.ask(
            f"SELECT count(*) FILTER (customer_id IS NULL), count(*) FROM core.{table}"
        )
        # tickets of HubSpot and Zoho name a contact, whom a quarter of the people do not have
        allowed = 0.25 if table == "tickets" else 0.01
        assert nobodys <= allowed * rows > 0, table


def test_contacts_of_one_person_are_mostly_one_customer(company: Company) -> None:
    """Records with a phone or an e-mail in common meet, across systems; two people of one name do not."""
    of_one = company.lake.ask(
        f"""SELECT person_id, count(DISTINCT customer_id) FROM core.contacts AS c
            JOIN {company.known("person_of_contact")} AS t USING (source, contact_id)
            WHERE c.valid_to IS NULL GROUP BY 1 HAVING count(DISTINCT contact_id) > 1"""
    )
    assert len(of_one) > 100
    assert sum(customers == 1 for _, customers in of_one) > 0.8 * len(of_one)
    mixed = company.lake.ask(
        f"""SELECT count(*) FROM (SELECT customer_id FROM core.contacts AS c
            JOIN {company.known("person_of_contact")} AS t USING (source, contact_id)
            JOIN {company.known("persons")} AS p USING (person_id)
            WHERE c.valid_to IS NULL AND planted = 'namesake' GROUP BY 1 HAVING count(DISTINCT person_id) > 1)"""
    )
    assert mixed == [(0,)]


def test_records_of_one_system_find_those_of_another(company: Company) -> None:
    """Products, places, users, campaigns, orders, whoever holds them: by the rule of `core.id_sources`."""
    counts = count_references(company.lake.con)
    assert [
        (count.source, count.entity, count.column, count.advice) for count in counts if count.is_broken
    ] == []
    found = {(count.source, f"{count.entity}.{count.column}"): count for count in counts}
    assert found["shopify", "order_items.product_id"].id_sources == ("shop",)
    assert found["weather", "weather.place_id"].id_sources == ("places",)
    assert found["crm", "tickets.order_id"].elsewhere > 0
    assert {source for source, column in found if column == "contacts.owner_id"} == set(CRMS)
    assert {source for source, column in found if column == "ad_spend.campaign_id"} == {
        "douyin",
        "wechat",
        "search",
    }
    lines, joined = company.lake.ask(JOINED)[0]
    assert lines == joined > 1_000


def test_a_country_is_one_country_in_every_system(company: Company) -> None:
    """CRMs that write 中国, China or CN all say CN in core."""
    for table in ("contacts", "leads", "orders"):
        countries = company.lake.ask(f"SELECT DISTINCT country FROM core.{table} WHERE country IS NOT NULL")
        assert countries == [("CN",)], table


def test_stages_of_deals_follow_each_other(company: Company) -> None:
    """Where a CRM exports its history, each deal began somewhere, and who is won or lost was so last."""
    rows = company.lake.ask(
        """SELECT d.source, count(DISTINCT deal_id), count(*) FILTER (s.entered_at < d.created_at - INTERVAL 1 MINUTE),
                  count(*) FILTER (last AND is_won AND NOT (s.stage ILIKE '%won')),
                  count(*) FILTER (last AND is_closed AND NOT is_won AND NOT (s.stage ILIKE '%lost'))
           FROM core.deals AS d JOIN (
               SELECT *, row_number() OVER (PARTITION BY source, deal_id ORDER BY entered_at DESC) = 1 AS last
               FROM core.deal_stages) AS s USING (source, deal_id)
           WHERE d.valid_to IS NULL GROUP BY 1 ORDER BY 1"""
    )
    assert [(source, *wrong) for source, _, *wrong in rows] == [
        ("crm", 0, 0, 0),
        ("hubspot", 0, 0, 0),
        ("salesforce", 0, 0, 0),
    ]


def test_work_is_done_in_working_hours(company: Company) -> None:
    """Of each system, whatever zone it writes its times in."""
    rows = company.lake.ask(
        f"""SELECT source, min(hour(moment)), max(hour(moment)) FROM (
                SELECT source, occurred_at AT TIME ZONE '{ZONE}' AS moment FROM core.activities
            ) GROUP BY 1 ORDER BY 1"""
    )
    assert rows == [(source, 9, 17) for source in ("crm", "hubspot", "salesforce", "wukong", "zoho")]


def test_baby_goods_sell_on_friday_evening(company: Company) -> None:
    """In the company's zone, by the planted share beyond the usual."""
    ((peak, orders),) = company.lake.ask(
        """SELECT count(*) FILTER (isodow(moment) = 5 AND hour(moment) BETWEEN 20 AND 21), count(*)
           FROM ordered WHERE category = 'baby'"""
    )
    usual, planted = (12 + 13) / 147 / 7, company.truth.scenario.plants.friday_peak
    expected = planted + (1 - planted) * usual
    assert peak / orders == pytest.approx(expected, abs=_error(expected, orders))


def test_clothes_come_back_the_day_after(company: Company) -> None:
    """As often as was planted."""
    ((back, orders),) = company.lake.ask(
        f"""SELECT count(*) FILTER ((r.returned_at AT TIME ZONE '{ZONE}')::DATE = moment::DATE + 1), count(*)
            FROM ordered LEFT JOIN core.returns AS r USING (source, order_id)
            WHERE category = 'apparel' AND source = 'shop' AND moment::DATE < DATE '2026-06-29'"""
    )
    planted = company.truth.scenario.plants.next_day_returns
    assert back / orders == pytest.approx(planted, abs=_error(planted, orders))


def test_the_campaign_lifted_orders(company: Company) -> None:
    """Of those who were drawn against those who were not, by as much as was planted."""
    rows = company.lake.ask(
        f"""WITH drawn AS (
                SELECT DISTINCT person_id, wave, treated FROM {company.known("campaign_assignment")}
            ), bought AS (
                SELECT person_id, wave, count(*) AS orders FROM ordered
                JOIN (SELECT DISTINCT c.customer_id, person_id FROM core.contacts AS c
                      JOIN {company.known("person_of_account")} AS a ON a.customer_id = c.contact_id
                      WHERE c.source = 'shop' AND c.valid_to IS NULL) USING (customer_id)
                JOIN (SELECT unnest(range(12)) AS wave, DATE '2024-07-01' + 7 * (50 + 4 * wave)::INT AS first)
                ON moment >= first AND moment < first + 14 GROUP BY ALL
            )
            SELECT treated, count(*), sum(coalesce(orders, 0)), sum(coalesce(orders, 0) ** 2)
            FROM drawn LEFT JOIN bought USING (person_id, wave) GROUP BY 1 ORDER BY 1"""
    )
    rates = []
    for _, people, orders, squares in rows:
        mean = float(orders) / people
        rates.append((mean, (float(squares) / people - mean**2) / people))
    (control, of_control), (treated, of_treated) = rates
    ratio = treated / control
    tolerance = 4 * ratio * math.sqrt(of_control / control**2 + of_treated / treated**2)
    assert ratio - 1 == pytest.approx(company.truth.scenario.plants.campaign_uplift, abs=tolerance)


@pytest.mark.parametrize("check", planted_behaviour.CHECKS, ids=lambda check: check.__name__)
def test_the_marts_find_what_was_planted(company: Company, check: planted_behaviour.Check) -> None:
    """Cycles, prices, who stopped, hours, baskets, sessions and cohorts are those of the truth."""
    found = check(company.lake.ask, company.known, company.truth.as_json()["plants"])
    sys.stdout.write(f"{check.__name__}: {found}\n")


def test_notes_tell_whose_data_is_empty_or_pasted(company: Company) -> None:
    """In each CRM the users whose notes are mostly empty, or one text, are those of whom the truth says so."""
    told = {
        name: habit
        for user_id, name, habit in company.lake.ask(
            f"SELECT user_id, name, habit FROM {company.known('habit_of_user')}"
        )
        for name in (name, user_id, *_numbered(user_id))
    }
    wrong: dict[str, Any] = {}
    seen: Counter[str] = Counter()
    for source, user, empty, same, notes in company.lake.ask(HABITS):
        if notes < 25:
            continue
        found = "empty" if empty > 0.5 else "pasting" if same > 0.5 else "careful"
        seen[source] += 1
        if found != told[user]:
            wrong[f"{source}/{user}"] = (found, told[user], empty, same)
    assert wrong == {}
    assert seen.keys() == {"hubspot", "salesforce", "zoho", "wukong", "crm"}


def _numbered(user_id: str) -> tuple[str, str]:
    """Return how Salesforce and Zoho number a user."""
    number = int(user_id[1:])
    return f"0055{number:011d}AAA", f"5310001{number:012d}"


def test_other_engines_can_believe_every_file(company: Company) -> None:
    """Counts, bounds, partitions, ids and any sort order are what the files hold, after maintenance as before."""
    catalog = catalogs.open_catalog(settings.current())
    tables = [
        table
        for name in catalogs.table_names(catalog)
        if (table := catalog.load_table(name)).metadata.snapshots
    ]
    assert len(tables) > 40
    assert [wrong for table in tables for wrong in false_claims(table)] == []
    policy = MaintenancePolicy(min_files_to_rewrite=2, min_partitions_to_coarsen=5)
    coarser = 0
    for table in tables:
        done = maintain(settings.current(), catalog, table, policy, MaintenanceContext())
        coarser += bool(done.plan.coarser)
        assert false_claims(table.refresh()) == []
    assert coarser > 0


def test_who_is_who_is_as_the_truth_says(company: Company) -> None:
    """Nobody is merged with another person; of what belongs together 95 of 100 pairs are found, or are asked about."""
    known = [
        (company.known("person_of_contact"), "contacts", "contact_id", "t.source"),
        (company.known("person_of_lead"), "leads", "lead_id", "t.source"),
        (company.known("person_of_account"), "contacts", "customer_id", "'shop'"),
    ]
    score = people_score.score(company.lake.con, known)
    sys.stdout.write(f"{score}\n")
    assert score.mixed == 0
    assert score.pairs > 4_000
    assert score.found / score.pairs > 0.9
    assert (score.found + score.in_review) / score.pairs >= 0.95
    shares = people_score.largest_shares(
        company.lake.con, f"SELECT person_id FROM {company.known('persons')} WHERE planted = 'eight_accounts'"
    )
    assert shares == [1.0] * 5  # the accounts of each of them are one customer
