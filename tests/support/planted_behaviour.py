"""What the marts of behaviour must find again in the generated company, held against its truth.

Each check takes a function that asks the lake, one that gives the SQL of a table of the truth, and the plants, and
returns its figures. Customers count of whom one person alone is behind the shop's accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from lakehouse.sample.company.policy import BrowsingPolicy
from lakehouse.sample.company.world.catalogue import CATEGORIES, COMPANIONS

AS_OF: Final = "2026-06-30"  # the last day of the company's history
Ask = Callable[[str], list[tuple[Any, ...]]]
Known = Callable[[str], str]
Plants = dict[str, Any]
Check = Callable[[Ask, Known, Plants], str]  # it returns what was found, in figures


def _people(known: Known) -> str:
    """Return the SELECT of customers with what is true of their person."""
    return f"""(
        SELECT customer_id, p.* FROM (
            SELECT c.customer_id, min(person_id) AS person_id FROM core.contacts AS c
            JOIN {known("person_of_account")} AS a ON a.customer_id = c.contact_id
            WHERE c.source = 'shop' AND c.valid_to IS NULL GROUP BY 1 HAVING count(DISTINCT person_id) = 1
        ) JOIN {known("persons")} AS p USING (person_id))"""


def coffee_is_bought_in_its_cycle(ask: Ask, known: Known, plants: Plants) -> str:
    """Of those who have a cycle the median gap is that, to two days, and most gaps are near it; not so of others."""
    rows = ask(
        f"""SELECT cycle_days, gap_days, regular FROM marts.buying_cycle JOIN {_people(known)} USING (customer_id)
            WHERE kind = 'category' AND item = 'coffee'"""
    )
    planted = [(gap - cycle, regular) for cycle, gap, regular in rows if cycle]
    assert {cycle for cycle, _, _ in rows if cycle} == set(plants["cycle_days"])
    assert len(planted) > 100
    assert sum(abs(difference) <= 2 for difference, _ in planted) > 0.85 * len(planted)
    assert sum(regular for _, regular in planted) / len(planted) > 0.85
    others = [regular for cycle, _, regular in rows if not cycle]
    assert sum(others) / len(others) < 0.4
    near = sum(abs(difference) <= 2 for difference, _ in planted)
    mean = sum(regular for _, regular in planted) / len(planted)
    return f"{near} of {len(planted)} within two days; regular {mean:.2f}, others {sum(others) / len(others):.2f}"


def who_waits_for_promotions_is_price_sensitive(ask: Ask, known: Known, plants: Plants) -> str:
    """Of a planted one and another, the planted one has the higher share in three pairs of four at least."""
    rows = ask(
        f"""SELECT price_sensitive, price_sensitivity FROM marts.customer_habits
            JOIN {_people(known)} USING (customer_id) WHERE price_evidence >= 4"""
    )
    planted = [share for is_planted, share in rows if is_planted]
    others = [share for is_planted, share in rows if not is_planted]
    assert len(planted) > 50
    higher = sum(share > other for share in planted for other in others)
    assert higher / (len(planted) * len(others)) > 0.75
    assert plants["full_price_factor"] < plants["promoted_factor"]
    means = sum(planted) / len(planted), sum(others) / len(others)
    return f"mean {means[0]:.2f}, others {means[1]:.2f}; higher in {higher / (len(planted) * len(others)):.2f} of pairs"


def who_stopped_is_asleep_or_gone(ask: Ask, known: Known, plants: Plants) -> str:
    """Most who are said to be stopped; of those who bought often and go on, few are said to be."""
    del plants
    rows = ask(
        f"""SELECT stage IN ('asleep', 'gone'), stopped_on IS NOT NULL, count(*)
            FROM marts.lifecycle JOIN {_people(known)} USING (customer_id) WHERE purchase_days >= 5 GROUP BY ALL"""
    )
    customers = {(silent, stopped): count for silent, stopped, count in rows}
    silent = customers[True, True] + customers[True, False]
    assert customers[True, True] / silent > 0.85
    assert customers[True, True] / (customers[True, True] + customers[False, True]) > 0.6
    assert customers[True, False] / (customers[True, False] + customers[False, False]) < 0.06
    going_on = customers[True, False] + customers[False, False]
    return f"{customers[True, True]} of {silent} had stopped; {customers[True, False]} of {going_on} go on"


def friday_evening_is_the_busiest(ask: Ask, known: Known, plants: Plants) -> str:
    """In the zone of the business, the two planted hours; and parents of small children are there on Fridays."""
    assert plants["friday_peak"] > 0
    hours = ask(
        """SELECT weekday, hour, orders FROM marts.hour_of_week_activity WHERE customer_id = ''
           ORDER BY orders DESC LIMIT 3"""
    )
    assert sorted(hour[:2] for hour in hours[:2]) == [(5, 20), (5, 21)]
    shares = dict(
        ask(
            f"""SELECT young_parent, avg(CAST(best_weekday = 5 AS INTEGER))
                FROM marts.best_contact_time JOIN {_people(known)} USING (customer_id)
                WHERE time_sure > 0.5 GROUP BY 1"""
        )
    )
    assert shares[True] > 2 * shares[False]
    return f"orders of the three busiest hours: {hours}"


def goods_go_with_their_category_or_a_companion(ask: Ask, known: Known, plants: Plants) -> str:
    """Products of one category are bought together more often than by chance, others only with what goes along."""
    del known, plants
    pairs = ask("SELECT category, with_category, lift FROM marts.product_affinity")
    companions = {CATEGORIES[number] for number in COMPANIONS}
    same = [lift for one, other, lift in pairs if one == other]
    assert len(same) > 100
    assert min(same) > 1
    assert all({one, other} & companions for one, other, _ in pairs if one != other)
    lifts = f"{min(same):.2f} to {max(same):.2f}"
    return f"lift of {len(same)} pairs of one category {lifts}; {len(pairs) - len(same)} others"


def each_order_of_the_site_ends_a_session(ask: Ask, known: Known, plants: Plants) -> str:
    """Sessions that order are as many as orders there; before them products are viewed as often as was planted."""
    del known, plants
    ((messages, sessions, viewed),) = ask(
        """SELECT (SELECT count(DISTINCT message_id) FROM core.events WHERE event = 'Order Completed'),
                  count(ordered_at), count(viewed_at) FILTER (ordered_at IS NOT NULL) FROM marts.sessions"""
    )
    assert 0.97 * messages < sessions <= messages  # two orders within half an hour are of one session
    assert abs(viewed / sessions - (1 - BrowsingPolicy.pages)) < 0.05
    assert ask(
        """SELECT sum(visits), sum(reached) FILTER (step = 5) FROM marts.funnel
           WHERE day IS NOT NULL AND step IN (1, 5)"""
    ) == ask("SELECT 2 * count(*), count(ordered_at) FROM marts.sessions")
    return f"{sessions} sessions of {messages} orders, {viewed / sessions:.2f} with a product viewed"


def cohorts_keep_who_orders_again(ask: Ask, known: Known, plants: Plants) -> str:
    """Month by month what a plain count of the same orders says; who stopped is in no later month."""
    del plants
    months = defaultdict(set)
    for who, day in ask(
        f"""SELECT customer_id, ordered_on FROM core.order_values WHERE is_order AND customer_id IS NOT NULL
            AND ordered_on <= DATE '{AS_OF}' AND coalesce(taken_back_on > DATE '{AS_OF}', true)"""
    ):
        months[who].add(day.year * 12 + day.month)
    expected: dict[tuple[int, int], int] = defaultdict(int)
    for active in months.values():
        for month in active:
            expected[min(active), month - min(active)] += 1
    found = {
        (cohort.year * 12 + cohort.month, since): count
        for cohort, since, count in ask(
            """SELECT cohort_on, periods, active FROM marts.cohort_retention
               WHERE activity = 'order' AND unit = 'month' AND active > 0"""
        )
    }
    last = date.fromisoformat(AS_OF)
    running = last.year * 12 + last.month
    assert found == {cell: count for cell, count in expected.items() if sum(cell) < running}
    late = ask(
        f"""SELECT count(*) FROM core.order_values JOIN {_people(known)} USING (customer_id)
            WHERE is_order AND ordered_on > stopped_on"""
    )
    assert late == [(0,)]
    return f"{len(found)} cells equal"


CHECKS: tuple[Check, ...] = (
    coffee_is_bought_in_its_cycle,
    who_waits_for_promotions_is_price_sensitive,
    who_stopped_is_asleep_or_gone,
    friday_evening_is_the_busiest,
    goods_go_with_their_category_or_a_companion,
    each_order_of_the_site_ends_a_session,
    cohorts_keep_who_orders_again,
)
