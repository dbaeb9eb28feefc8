"""Churn: the chance that a buyer buys nothing for `ChurnPolicy.horizon_days`, and why.

Three methods compete at each run: gradient boosting on all features, the recency rule (who bought longest ago is
likeliest to have left), and what BG/NBD says of the same days. See `propensity` for how one is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.scores import bg_nbd, propensity, reasons
from lakehouse.scores.features import Panel, as_floats
from lakehouse.scores.policy import ChurnPolicy
from lakehouse.scores.propensity import Period
from lakehouse.scores.result import NO_MODEL, Quality, Scored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.scores.bg_nbd import Floats
    from lakehouse.scores.calibration import Truths
    from lakehouse.scores.propensity import Method, Raw

RECENCY, BG_NBD = "recency_rule", "bg_nbd"
_WEEK: Final = 7.0  # days


def bg_nbd_chance(panel: Panel, happened: Truths) -> Raw:
    """Fit BG/NBD to the histories of a panel; its score is the log-odds of no purchase within the horizon.

    Who is alive buys nothing in t weeks with ((alpha+T)/(alpha+T+t))^(r+x): the customer's rate is gamma-distributed
    with these parameters then, and nobody leaves without buying. `happened` is not looked at.
    """
    del happened
    model = bg_nbd.fit(_histories(panel)).model

    def raw(customers: Panel) -> Floats:
        histories = _histories(customers)
        weeks = ChurnPolicy.horizon_days / _WEEK
        start = model.alpha + histories.age
        quiet = np.exp((model.r + histories.frequency) * (np.log(start) - np.log(start + weeks)))
        buys = bg_nbd.alive(model, histories) * (1 - quiet)
        tiny = np.finfo(np.float64).tiny
        return np.asarray(np.log(np.maximum(1 - buys, tiny)) - np.log(np.maximum(buys, tiny)))

    return raw


METHODS: Final[Mapping[str, Method]] = {
    RECENCY: propensity.by_feature("recency_days"),
    BG_NBD: bg_nbd_chance,
    propensity.BOOSTING: propensity.boosting,
}


def score(now: pa.Table, later: pa.Table | None, earlier: pa.Table | None) -> Scored:
    """Score everybody in `now`: features as of a day; see `features.FEATURES`.

    `later` and `earlier` are panels (`features.PANEL`) of one and of two horizons before; None where the history does
    not reach that far. The chances are null where too little is known.
    """
    panel = Panel.of(now)
    if later is None or earlier is None:
        days = 2 * ChurnPolicy.horizon_days
        return _nothing(
            panel, f"orders go back less than the {days} days that are learned from and checked on"
        )
    periods = _period(earlier), _period(later)
    if missing := next((period.missing for period in periods if period.missing), ""):
        return _nothing(panel, f"in {ChurnPolicy.horizon_days} days {missing}")
    learned = propensity.learn(*periods, METHODS)
    chance = learned.chance(panel)
    newest = periods[-1]
    stayed = reasons.medians(newest.panel.part(~newest.happened))
    english, chinese = reasons.in_words(learned.chance, panel, stayed)
    rows = pa.table(
        {
            "customer_id": panel.customers,
            "churn_probability": np.round(chance, 4),
            "reasons": english,
            "reasons_zh": chinese,
        }
    )
    best = learned.figures["methods"][learned.method]
    figures = {"customers": len(panel), "horizon_days": ChurnPolicy.horizon_days} | learned.figures
    return Scored(rows, Quality(learned.method, auc=best["auc"], brier=best["brier"], figures=figures))


def _period(table: pa.Table) -> Period:
    return Period(Panel.of(table), as_floats(table["later_days"]) == 0)


def _histories(panel: Panel) -> bg_nbd.Histories:
    """Return the histories of a panel; its numbers may be anybody's and nobody's: medians stand in for some."""
    frequency = np.maximum(panel.column("purchase_days") - 1, 0)
    age = np.maximum(panel.column("age_days"), 0)
    last = np.clip(age - panel.column("recency_days"), 0, age)
    return bg_nbd.Histories.of(frequency, np.where(frequency > 0, last, 0) / _WEEK, age / _WEEK)


def _nothing(panel: Panel, reason: str) -> Scored:
    columns = {
        "customer_id": panel.customers,
        "churn_probability": pa.nulls(len(panel), pa.float64()),
        "reasons": pa.nulls(len(panel), pa.string()),
        "reasons_zh": pa.nulls(len(panel), pa.string()),
    }
    return Scored(pa.table(columns), Quality(NO_MODEL, reason))
