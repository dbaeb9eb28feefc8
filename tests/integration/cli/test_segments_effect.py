"""`lakehouse segments effect` and what `preview` says before, as a person runs them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from lakehouse.segments import refresh
from lakehouse.segments.control import in_control
from tests.support.segment_commands import REGULARS


def test_effect_compares_with_the_control_group(segments):
    """Who would be compared is told before, and once the days of some are over what came of it, as text and JSON."""
    assert "never was" in segments("effect", "regular", code=1)
    assert "core.order_values holds nothing yet" in segments("effect", "regulars", code=1)
    names = [f"c_{number}" for number in range(40)]
    segments.define(regulars=REGULARS.replace("exclude: [rich]", "control_share: 0.5"))
    segments.marts(1, **dict.fromkeys(names, (3, 5, 1)))
    segments.company.fill("core.customers", *({"customer_id": name, "name": "N"} for name in names))
    segments.company.fill("core.order_values", *(
        {"source": "shop", "order_id": name, "customer_id": name, "ordered_on": date(2026, 3, 1), "is_order": True,
         "value": Decimal("3.50")}
        for name in names if not in_control("regulars", name, 0.5)
    ))  # fmt: skip
    refresh.refresh(segments.company.settings)
    before = segments.json("preview", "regulars")
    drawn = sum(in_control("regulars", name, 0.5) for name in names)
    assert before["control"] == drawn
    assert 0 < before["visible_from"] < 1
    assert "would be the control group" in segments("preview", "regulars")
    assert segments.json("effect", "regulars", "--days", "5")["verdict"] == "too early"
    segments.marts(7, **dict.fromkeys(names, (3, 5, 1)))
    found = segments.json("effect", "regulars", "--days", "5")
    assert (found["verdict"], found["treated"]["customers"], found["control"]["customers"]) == (
        "works",
        40 - drawn,
        drawn,
    )
    assert (found["difference"]["value"], found["treated"]["buyers"], found["since"]) == (
        1.0,
        40 - drawn,
        "2026-03-01",
    )
    text = segments("effect", "regulars", "--days", "5")
    assert "it works" in text
    assert "+100.0" in text
    assert "14 days from entering it" in segments("effect", "regulars")
