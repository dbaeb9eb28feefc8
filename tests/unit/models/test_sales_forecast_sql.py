"""Does the interval of the sales forecast hold what comes of the deals as often as it says?"""

from __future__ import annotations

import random
from decimal import Decimal

from tests.support.model_cases import Row, answer

COMPANIES = 200
PAST_DEALS = 25
OPEN_DEALS = 15


def test_nine_of_ten_intervals_hold_what_comes() -> None:
    """In companies whose chances nobody knows, but from their past deals; no more than nine and a half in ten."""
    chance_of, outcomes, deals = random.Random(5), {}, []
    for number in range(COMPANIES):
        source = f"crm{number}"
        stages = {stage: chance_of.uniform(0.1, 0.9) for stage in ("offer", "contract")}
        won_before = {
            stage: sum(chance_of.random() < chance for _ in range(PAST_DEALS))
            for stage, chance in stages.items()
        }
        outcomes[source] = 0
        for deal in range(OPEN_DEALS):
            stage = chance_of.choice(["offer", "contract"])
            amount = chance_of.randint(50, 500)
            outcomes[source] += amount * (chance_of.random() < stages[stage])
            deals.append(_deal(source, deal, stage, amount, won_before[stage]))

    forecasts = {row["source"]: row for row in answer("marts.sales_forecast", marts__open_deals=deals)}

    held = sum(
        forecasts[source]["low"] <= brought <= forecasts[source]["high"]
        for source, brought in outcomes.items()
    )
    assert 0.85 * COMPANIES < held < 0.96 * COMPANIES
    everything = forecasts.pop("all")
    assert everything["low"] < sum(outcomes.values()) < everything["high"]
    cents = sum(forecast["expected"] for forecast in forecasts.values())  # each is rounded
    assert abs(everything["expected"] - cents) < Decimal("0.01") * COMPANIES


def _deal(source: str, number: int, stage: str, amount: int, won_before: int) -> Row:
    return {
        "source": source,
        "deal_id": str(number),
        "pipeline": "",
        "stage": stage,
        "amount": amount,
        "win_chance": (won_before + 1) / (PAST_DEALS + 2),
        "chance_deals": PAST_DEALS,
    }
