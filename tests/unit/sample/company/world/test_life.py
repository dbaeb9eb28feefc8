"""Why customers stop, and what the campaign did."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

DRIVERS = ("complaint", "days_since_visit", "discount_share")
# the drivers of every person and week at risk, from the exports alone (and who is behind an account)
COMPLAINED = """
    WITH complaints AS (
        SELECT DISTINCT person_id, t.created_at::TIMESTAMPTZ AT TIME ZONE 'Asia/Shanghai' AS moment
        FROM crm_tickets AS t JOIN truth_person_of_account USING (customer_id) WHERE kind = 'complaint'
    )
    SELECT count(*) FROM truth_hazard_drivers AS d
    WHERE complaint <> EXISTS (FROM complaints AS c WHERE c.person_id = d.person_id
                               AND c.moment >= d.week_end - INTERVAL 60 DAY AND c.moment < d.week_end)
"""
DISCOUNTS = """
    WITH bought AS (SELECT person_id, moment, (promotion IS NOT NULL)::INT AS reduced
                  FROM ordered JOIN truth_person_of_account USING (customer_id)),
    sums AS (
        SELECT d.person_id, d.week_end, any_value(discount_share) AS share,
               coalesce(sum(reduced), 0) / greatest(count(bought.moment), 1) AS in_files
        FROM truth_hazard_drivers AS d LEFT JOIN bought ON bought.person_id = d.person_id AND bought.moment < d.week_end
        WHERE d.person_id < 500 GROUP BY ALL
    )
    SELECT count(*) FILTER (abs(share - in_files) > 1e-9), count(*) FROM sums
"""
# by how many days the last visit, order or message, differs from that of the truth; of the first 500 people
VISITS = """
    WITH visits AS (
        SELECT person_id, moment FROM ordered JOIN truth_person_of_account USING (customer_id)
        UNION ALL SELECT person_id, (json ->> '$.originalTimestamp')::TIMESTAMPTZ AT TIME ZONE 'Asia/Shanghai'
        FROM web_events JOIN truth_person_of_device ON json ->> '$.anonymousId' = anonymous_id
    ), last AS (
        SELECT d.person_id, d.week_end, any_value(days_since_visit) AS in_truth,
               d.week_end - max(moment)::DATE AS in_files
        FROM truth_hazard_drivers AS d JOIN visits ON visits.person_id = d.person_id AND moment < d.week_end
        WHERE d.person_id < 500 GROUP BY d.person_id, d.week_end
    )
    SELECT abs(in_truth - in_files) AS difference, count(*) FROM last GROUP BY 1 ORDER BY 1
"""
PRECEDED = """
    WITH complaints AS (
        SELECT DISTINCT person_id, (t.created_at::TIMESTAMPTZ AT TIME ZONE 'Asia/Shanghai')::DATE AS day
        FROM crm_tickets AS t JOIN truth_person_of_account USING (customer_id) WHERE kind = 'complaint'
    )
    SELECT avg(EXISTS (FROM complaints AS c WHERE c.person_id = p.person_id AND c.day < stopped_on
                       AND c.day >= stopped_on - 60)::INT),
           avg(EXISTS (FROM complaints AS c WHERE c.person_id = p.person_id AND c.day < stopped_on - 120
                       AND c.day >= stopped_on - 180)::INT), count(*)
    FROM truth_persons AS p WHERE stopped_on - greatest(joined_on, DATE '2024-07-01') > 200
"""
# of orders that were complained about and of others: how many were their customer's last for 120 days
GONE = """
    WITH followed AS (
        SELECT order_id, moment, lead(moment) OVER (PARTITION BY customer_id ORDER BY moment) AS following FROM ordered
    ), complaints AS (SELECT DISTINCT order_id FROM crm_tickets WHERE kind = 'complaint')
    SELECT c.order_id IS NOT NULL, avg((following IS NULL OR following > moment + INTERVAL 120 DAY)::INT), count(*)
    FROM followed LEFT JOIN complaints AS c USING (order_id)
    WHERE moment < DATE '2026-06-30' - 120 GROUP BY 1 ORDER BY 1
"""
CAMPAIGN = """
    WITH windows AS (SELECT unnest(range(12)) AS wave, DATE '2024-07-01' + 7 * (50 + 4 * wave)::INT AS first),
    bought AS (
        SELECT person_id, wave, count(*) AS orders FROM ordered JOIN truth_person_of_account USING (customer_id)
        JOIN windows ON moment >= first + $later::INT AND moment < first + $later::INT + 14 GROUP BY ALL
    )
    SELECT treated, count(*), sum(coalesce(orders, 0)), sum(coalesce(orders, 0) ** 2)
    FROM truth_campaign_assignment LEFT JOIN bought USING (person_id, wave) GROUP BY 1 ORDER BY 1
"""


def _hazard(company_files: Any) -> tuple[Any, Any]:
    """Fit the weekly logistic hazard by iteratively reweighted least squares; return coefficients and errors."""
    columns = company_files.con.execute(
        f"SELECT {', '.join(DRIVERS)}, stopped FROM truth_hazard_drivers"
    ).fetchnumpy()
    x = np.column_stack(
        [np.ones(len(columns["stopped"])), *(columns[name].astype(float) for name in DRIVERS)]
    )
    y, beta = columns["stopped"].astype(float), np.array([-5.0, 0, 0, 0])
    for _ in range(12):
        chance = 1 / (1 + np.exp(-x @ beta))
        information = (x * (chance * (1 - chance))[:, None]).T @ x
        beta = beta + np.linalg.solve(information, x.T @ (y - chance))
    return beta, np.sqrt(np.diag(np.linalg.inv(information)))


def _uplift(company_files: Any, later: int = 0) -> tuple[float, float]:
    """Return the campaign's relative uplift of orders a customer, and four standard errors (delta method)."""
    rates = []
    for _, people, orders, squares in company_files.rows(CAMPAIGN, later=later):
        mean = float(orders) / people
        rates.append((mean, (float(squares) / people - mean**2) / people))
    (control, of_control), (treated, of_treated) = rates
    ratio = treated / control
    return ratio - 1, 4 * ratio * math.sqrt(of_control / control**2 + of_treated / treated**2)


def test_the_hazard_has_the_planted_coefficients(either: Any) -> None:
    """Who stops, and when, was drawn from exactly the hazard that the truth tells: each within four errors."""
    beta, errors = _hazard(either)
    planted = either.truth["plants"]["hazard"]
    expected = np.array([planted[name] for name in ("intercept", "complaint", "day", "discount")])
    assert np.all(np.abs(beta - expected) < 4 * errors)


def test_each_driver_is_told_from_none(company: Any, bare: Any) -> None:
    """Planted drivers stand out of the errors; where they have no effect, an effect of that size is excluded."""
    beta, errors = _hazard(company)
    assert np.all(beta[1:] > 4 * errors[1:])
    without, their_errors = _hazard(bare)
    assert np.all(without[1:] < beta[1:] - 4 * their_errors[1:])


def test_the_exports_show_the_drivers(either: Any) -> None:
    """Complaints of 60 days, the last visit and the share of promotions, as the files have them, are the drivers."""
    assert either.value(COMPLAINED) == 0
    different, weeks = either.row(DISCOUNTS)
    assert different == 0
    assert weeks > 10_000
    ((difference, weeks),) = either.rows(VISITS)
    assert difference == 0
    assert weeks > 10_000


def _more_gone(company_files: Any) -> float:
    """Return by how many standard errors more customers are gone after an order they complained about."""
    (_, usual, orders), (_, complained, of_them) = company_files.rows(GONE)
    error = math.sqrt(usual * (1 - usual) * (1 / orders + 1 / of_them))
    return (complained - usual) / error


def test_the_files_alone_show_that_complaints_precede_leaving(company: Any, bare: Any) -> None:
    """After an order that brought a complaint more customers are gone than after others; unplanted, as many."""
    assert _more_gone(company) > 3
    assert abs(_more_gone(bare)) < 3


def test_complaints_come_before_leaving(company: Any) -> None:
    """In the 60 days before they stop, customers complain far more than in a like time before."""
    before, earlier, stopped = company.row(PRECEDED)
    assert stopped > 300
    assert before > 1.5 * earlier


def test_complaints_do_not_come_before_leaving_where_they_do_no_harm(bare: Any) -> None:
    """Without an effect of complaints there are not more of them before the end."""
    before, earlier, _ = bare.row(PRECEDED)
    assert before < 1.3 * earlier


def test_who_stopped_is_not_seen_again(either: Any) -> None:
    """No order and no visit on or after the day somebody stopped, and none in the week somebody joined."""
    seen = """
        SELECT person_id, moment FROM ordered JOIN truth_person_of_account USING (customer_id)
        UNION ALL SELECT person_id, (json ->> '$.originalTimestamp')::TIMESTAMPTZ AT TIME ZONE 'Asia/Shanghai'
        FROM web_events JOIN truth_person_of_device ON json ->> '$.anonymousId' = anonymous_id
    """
    late, early, stopped = either.row(
        f"""SELECT count(*) FILTER (moment >= stopped_on), count(*) FILTER (moment < joined_on),
            count(DISTINCT person_id) FILTER (stopped_on IS NOT NULL)
            FROM ({seen}) JOIN truth_persons USING (person_id)"""
    )
    assert (late, early) == (0, 0)
    assert stopped > 1000


def test_the_campaign_has_the_planted_uplift(company: Any) -> None:
    """Treated people order as much more in a wave's two weeks as planted, against those drawn as control."""
    uplift, tolerance = _uplift(company)
    assert uplift == pytest.approx(company.truth["plants"]["campaign_uplift"], abs=tolerance)
    assert uplift > tolerance


def test_there_is_no_uplift_beside_the_campaign(company: Any, bare: Any) -> None:
    """Nothing is left of it in the two weeks after the window, nor anywhere where it was not planted."""
    for uplift, tolerance in (_uplift(company, later=14), _uplift(bare), _uplift(bare, later=14)):
        assert uplift == pytest.approx(0, abs=tolerance)
        assert uplift < company.truth["plants"]["campaign_uplift"] - tolerance / 2


def test_the_draw_is_even_and_told_for_every_wave(company: Any) -> None:
    """Half of the audience is drawn, wave by wave; who has a cycle is in no wave."""
    waves = company.rows(
        "SELECT wave, avg(treated::INT), count(*) FROM truth_campaign_assignment GROUP BY 1 ORDER BY 1"
    )
    assert [wave for wave, _, _ in waves] == [wave["wave"] for wave in company.truth["waves"]]
    assert all(share == pytest.approx(0.5, abs=2 / math.sqrt(people)) for _, share, people in waves)
    assert (
        company.value(
            "SELECT max(cycle_days) FROM truth_campaign_assignment JOIN truth_persons USING (person_id)"
        )
        == 0
    )
    assert [wave["from"] for wave in company.truth["waves"]][:2] == ["2025-06-16", "2025-07-14"]
