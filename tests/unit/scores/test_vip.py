"""VIP propensity on CDNOW against the rule, and what the level is."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from lakehouse.scores import features, vip
from tests.support.score_tables import cdnow, on, tables

HALF = timedelta(days=vip.HORIZON_DAYS)
TODAY = date(1998, 6, 30)


@pytest.fixture(scope="module")
def panels():
    """All of CDNOW on its last day, half a year and a year before."""
    with tables(core__order_values=cdnow()) as con:
        return (
            on(con, features.FEATURES, TODAY),
            on(con, features.PANEL, TODAY - HALF, TODAY),
            on(con, features.PANEL, TODAY - 2 * HALF, TODAY - HALF),
        )


def test_on_cdnow_the_better_method_is_used(panels):
    """The rule that who spent most will: boosting ranks as well and has worse chances there. Said, and used."""
    scored = vip.score(*panels)
    quality = scored.quality
    methods = quality.figures["methods"]
    assert methods.keys() == {"spending_rule", "gradient_boosting"}
    assert quality.method == "spending_rule"
    assert (
        quality.brier
        == min(each["brier"] for each in methods.values())
        < quality.figures["brier_of_the_mean"]
    )
    assert quality.auc > 0.85
    assert all(abs(row["said"] - row["happened"]) < 0.05 for row in quality.figures["calibration"])
    chance, is_vip = (scored.rows[name].to_numpy() for name in ("vip_probability", "is_vip"))
    assert ((chance > 0) & (chance < 1)).all()
    assert chance[is_vip].mean() > 10 * chance[~is_vip].mean()


def test_the_level_is_what_the_best_tenth_spent():
    """Of those who spent anything; nobody reaches the level of a period in which nobody did."""
    assert vip.level(np.array([0.0] * 50 + list(range(1, 101)))) == pytest.approx(90.1)
    assert vip.level(np.zeros(5)) == float("inf")
    assert vip.level(np.array([])) == float("inf")


def test_a_short_past_gives_no_chances_and_says_who_is_one(panels):
    """Who is a VIP today needs no model."""
    scored = vip.score(panels[0], None, None)
    assert "less than the 360 days" in scored.quality.reason
    assert scored.rows["vip_probability"].null_count == scored.rows.num_rows
    assert 0 < scored.rows["is_vip"].to_numpy().mean() < 0.03
    quiet = panels[1].filter(np.asarray(panels[1]["spent_180"].to_numpy() == 0))
    nobody = vip.score(quiet, quiet, quiet)
    assert "are needed" in nobody.quality.reason
    assert nobody.rows["vip_level"].null_count == nobody.rows.num_rows
