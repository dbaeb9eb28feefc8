"""Planted buying: the Friday peak, rain and chocolate, cycles, price-sensitive people; found by SQL.

Tolerances are four standard errors of the estimate, computed from the counts it rests on.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.tolerances import four_errors

EVENING = (12 + 13) / 147 / 7  # the usual share of a week's orders that fall on Friday, 20-22 h
FRIDAY = """
    SELECT count(*) FILTER (isodow(moment) = 5 AND hour(moment) BETWEEN 20 AND 21), count(*)
    FROM ordered WHERE category = ?
"""
BUSIEST = """
    SELECT isodow(moment), hour(moment) FROM ordered WHERE category = ? GROUP BY ALL ORDER BY count(*) DESC LIMIT 2
"""
# orders of a category and of all others on rainy and dry days of the city that lies so many places further
RAIN = """
    WITH city AS (
        SELECT place_id, city, row_number() OVER (ORDER BY city) - 1 AS n, count(*) OVER () AS cities
        FROM places_stores WHERE kind = 'area'
    ), weather AS (
        SELECT orders_of.city, w.day::DATE AS day, w.precipitation_mm::DOUBLE > 0 AS rainy
        FROM weather_daily AS w JOIN city AS rains_in USING (place_id)
        JOIN city AS orders_of ON orders_of.n = (rains_in.n + $shift) % rains_in.cities
    )
    SELECT count(*) FILTER (rainy AND category = $category), count(*) FILTER (NOT rainy AND category = $category),
           count(*) FILTER (rainy AND category <> $category AND category <> 'chocolate'),
           count(*) FILTER (NOT rainy AND category <> $category AND category <> 'chocolate')
    FROM ordered JOIN weather ON weather.city = ordered.city AND weather.day = moment::DATE
"""
# accounts that buy coffee again and again: their median gap, and how much the gaps differ from it
CYCLES = """
    WITH gaps AS (
        SELECT customer_id, moment::DATE - lag(moment::DATE) OVER (PARTITION BY customer_id ORDER BY moment) AS gap
        FROM ordered WHERE category = 'coffee'
    ), rhythm AS (
        SELECT customer_id, median(gap) AS days, count(gap) AS gaps, mad(gap) AS deviation FROM gaps GROUP BY 1
    )
    SELECT customer_id, days FROM rhythm WHERE gaps >= 5 AND deviation <= 2
"""
# who of them has not bought for two cycles and a week when history ends, and who has stopped
SILENT = f"""
    WITH last AS (SELECT customer_id, max(moment)::DATE AS day FROM ordered WHERE category = 'coffee' GROUP BY 1)
    SELECT count(*) FILTER (silent AND stopped_on IS NULL), count(*) FILTER (silent),
           count(*) FILTER (NOT silent AND stopped_on < DATE '2026-06-30' - 150)
    FROM (SELECT customer_id, DATE '2026-06-30' - last.day > 2 * days + 7 AS silent
          FROM ({CYCLES}) JOIN last USING (customer_id))
    JOIN truth_person_of_account USING (customer_id) JOIN truth_persons USING (person_id)
"""
PROMOTED = """
    SELECT p.price_sensitive, count(promotion), count(*)
    FROM ordered JOIN truth_person_of_account USING (customer_id) JOIN truth_persons AS p USING (person_id)
    WHERE category NOT IN ('baby', 'chocolate', 'coffee') GROUP BY 1 ORDER BY 1
"""


def _rain_lift(company_files: Any, category: str, shift: int = 0) -> tuple[float, float]:
    """Return by how much more a category sells when it rains, the others being the measure, and its tolerance."""
    rainy, dry, other_rainy, other_dry = company_files.row(RAIN, category=category, shift=shift)
    ratio = (rainy / other_rainy) / (dry / other_dry)
    return ratio - 1, 4 * ratio * math.sqrt(1 / rainy + 1 / dry + 1 / other_rainy + 1 / other_dry)


def test_young_parents_buy_on_friday_evening(company: Any) -> None:
    """The planted share of orders of baby goods, and the usual share of the rest, is on Friday from 20 to 22 h."""
    peak, orders = company.row(FRIDAY, "baby")
    planted = company.truth["plants"]["friday_peak"]
    expected = planted + (1 - planted) * EVENING
    assert orders == company.truth["facts"]["young_parents_orders_of_baby_goods"]
    assert peak / orders == pytest.approx(expected, abs=four_errors(expected, orders))
    assert set(company.rows(BUSIEST, "baby")) == {(5, 20), (5, 21)}
    others = company.value(
        """SELECT count(*) FROM ordered JOIN truth_person_of_account USING (customer_id)
           JOIN truth_persons USING (person_id) WHERE category = 'baby' AND NOT young_parent"""
    )
    assert others == 0


@pytest.mark.parametrize("category", ["household", "chocolate"])
def test_nothing_else_has_its_peak_on_friday(company: Any, bare: Any, category: str) -> None:
    """Other goods, and baby goods where nothing is planted, sell on Friday evening as on any other."""
    for company_files, goods in ((company, category), (bare, "baby"), (bare, category)):
        peak, orders = company_files.row(FRIDAY, goods)
        assert peak / orders == pytest.approx(EVENING, abs=four_errors(EVENING, orders))


def test_rain_lifts_chocolate_in_its_city(company: Any) -> None:
    """On a rainy day the city buys as much more chocolate as was planted."""
    lift, tolerance = _rain_lift(company, "chocolate")
    assert tolerance < 0.25
    assert lift == pytest.approx(company.truth["plants"]["rain_lift"], abs=tolerance)
    assert lift > tolerance


@pytest.mark.parametrize("category", ["household", "baby", "snacks"])
def test_rain_lifts_nothing_else(company: Any, category: str) -> None:
    """No other category sells more when it rains."""
    lift, tolerance = _rain_lift(company, category)
    assert lift == pytest.approx(0, abs=tolerance)


def test_rain_lifts_no_other_city(company: Any, bare: Any) -> None:
    """The rain of another city does nothing, nor does any where nothing is planted."""
    for company_files, shift in ((company, 1), (company, 5), (bare, 0)):
        lift, tolerance = _rain_lift(company_files, "chocolate", shift)
        assert lift == pytest.approx(0, abs=tolerance)
        assert abs(lift) < company.truth["plants"]["rain_lift"] / 2


def test_cycles_are_as_long_as_planted(company: Any) -> None:
    """Who buys coffee in a steady rhythm has a cycle in the truth, of that length; most cycles are seen."""
    rhythms = company.rows(
        f"""SELECT c.days, p.cycle_days FROM ({CYCLES}) AS c JOIN truth_person_of_account USING (customer_id)
            JOIN truth_persons AS p USING (person_id)"""
    )
    right = [abs(days - cycle) <= 1.5 for days, cycle in rhythms]
    assert sum(right) >= 0.97 * len(right)
    assert {cycle for _, cycle in rhythms} - {0} == set(company.truth["plants"]["cycle_days"])
    long_enough = company.value(
        """SELECT count(*) FROM truth_persons WHERE cycle_days > 0
           AND coalesce(stopped_on, DATE '2026-06-30') - greatest(joined_on, DATE '2024-07-01') > 8 * cycle_days"""
    )
    assert sum(right) > 0.9 * long_enough > 100


def test_a_broken_cycle_tells_who_stopped(company: Any) -> None:
    """Whoever has been silent for two cycles has stopped, and of those who did long ago none goes on buying."""
    silent_but_there, silent, stopped_but_buying = company.row(SILENT)
    assert silent_but_there == 0
    assert silent > 50
    assert stopped_but_buying == 0


def test_no_rhythm_without_a_cycle(bare: Any, company: Any) -> None:
    """Coffee that is bought by chance shows hardly any rhythm."""
    assert bare.value("SELECT count(*) FROM ordered WHERE category = 'coffee'") > 500
    assert len(bare.rows(CYCLES)) < 0.02 * len(company.rows(CYCLES))


def test_price_sensitive_people_wait_for_promotions(company: Any, bare: Any) -> None:
    """They buy at a reduced price nearly always, others as often as there is one; unplanted, all are like others."""
    plants = company.truth["plants"]
    waiting = 0.25 * plants["promoted_factor"]
    expected = waiting / (waiting + 0.75 * plants["full_price_factor"])
    (_, usual, orders), (_, reduced, of_them) = company.rows(PROMOTED)
    # of 105 weeks about a quarter have one: that is what the tolerance is for
    assert reduced / of_them == pytest.approx(expected, abs=0.05)
    assert usual / orders == pytest.approx(0.25, abs=0.05)
    (_, usual, orders), (_, reduced, of_them) = bare.rows(PROMOTED)
    assert reduced / of_them == pytest.approx(usual / orders, abs=0.05)
