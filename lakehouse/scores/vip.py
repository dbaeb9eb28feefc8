"""VIP propensity: the chance that a buyer will be among the best payers of the next `HORIZON_DAYS`.

A VIP spends at least the level that the best tenth of a period's buyers reached; the level of the period before is
used, since that of the next one is not known yet. Gradient boosting competes with the rule that who spent most will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.scores import propensity
from lakehouse.scores.features import Panel, as_floats
from lakehouse.scores.policy import VipPolicy
from lakehouse.scores.propensity import Period
from lakehouse.scores.result import NO_MODEL, Quality, Scored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.scores.bg_nbd import Floats
    from lakehouse.scores.propensity import Method

SPENDING: Final = "spending_rule"
HORIZON_DAYS: Final = 180  # the feature `spent_180` is named after it

METHODS: Final[Mapping[str, Method]] = {
    SPENDING: propensity.by_feature("spent_180"),
    propensity.BOOSTING: propensity.boosting,
}


def level(spent: Floats) -> float:
    """Return what the best payers of a period spent at least; infinite where nobody spent anything."""
    buyers = spent[spent > 0]
    return float(np.quantile(buyers, 1 - VipPolicy.top_share)) if len(buyers) else float("inf")


def score(now: pa.Table, later: pa.Table | None, earlier: pa.Table | None) -> Scored:
    """Score everybody in `now`; `later` and `earlier` are panels of one and two horizons before, as for churn."""
    panel = Panel.of(now)
    threshold = level(panel.column("spent_180"))
    if later is None or earlier is None:
        days = 2 * HORIZON_DAYS
        reason = f"orders go back less than the {days} days that are learned from and checked on"
        return _scored(panel, threshold, None, Quality(NO_MODEL, reason))
    periods = _period(earlier), _period(later)
    if missing := next((period.missing for period in periods if period.missing), ""):
        reason = f"in {HORIZON_DAYS} days {missing}"
        return _scored(panel, threshold, None, Quality(NO_MODEL, reason))
    learned = propensity.learn(*periods, METHODS)
    best = learned.figures["methods"][learned.method]
    figures = {"customers": len(panel), "horizon_days": HORIZON_DAYS, "level": threshold}
    quality = Quality(learned.method, auc=best["auc"], brier=best["brier"], figures=figures | learned.figures)
    return _scored(panel, threshold, learned.chance(panel), quality)


def _period(table: pa.Table) -> Period:
    """Return who reached the level that was known when the period began."""
    panel = Panel.of(table)
    return Period(panel, as_floats(table["later_value"]) >= level(panel.column("spent_180")))


def _scored(panel: Panel, threshold: float, chance: Floats | None, quality: Quality) -> Scored:
    missing = pa.nulls(len(panel), pa.float64())
    known = np.isfinite(threshold)
    return Scored(
        pa.table(
            {
                "customer_id": panel.customers,
                "is_vip": panel.column("spent_180") >= threshold,
                "vip_level": pa.array(np.full(len(panel), round(threshold, 2))) if known else missing,
                "vip_probability": missing if chance is None else np.round(chance, 4),
            }
        ),
        quality,
    )
