"""Customer lifetime value: how often customers will buy (BG/NBD) times what they spend each time (Gamma-Gamma).

The formulas and their sources stand in `bg_nbd` and `gamma_gamma`. A purchase is a day with orders: two orders of one
day are one. The spending model is fitted to repeat purchases, as published, and read for all of a customer's purchases,
the first one too: docs/decisions/0067 has what that gains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from lakehouse.scores import bg_nbd, gamma_gamma
from lakehouse.scores.features import as_floats
from lakehouse.scores.policy import ClvPolicy
from lakehouse.scores.result import NO_MODEL, NotFittedError, Quality, Scored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.scores.bg_nbd import BgNbdFit, Floats, Histories
    from lakehouse.scores.gamma_gamma import GammaGammaFit

HORIZONS: Final = (30, 90, 365)  # days that columns are named after
DAYS_A_WEEK: Final = 7.0


@dataclass(frozen=True)
class Buyers:
    """Everybody who bought by a day: histories, and the mean value of all and of repeat purchases (NaN for none)."""

    customers: pa.Array
    histories: Histories
    mean_value: Floats
    repeat_value: Floats

    @classmethod
    def of(cls, table: pa.Table) -> Buyers:
        """Read the columns `customer_id, purchase_days, first_day, last_day, as_of, mean_value, repeat_value`."""
        first, last, today = (_days(table[name]) for name in ("first_day", "last_day", "as_of"))
        frequency = as_floats(table["purchase_days"]) - 1
        histories = bg_nbd.Histories.of(
            frequency, (last - first) / DAYS_A_WEEK, (today - first) / DAYS_A_WEEK
        )
        return cls(
            table["customer_id"].combine_chunks(),
            histories,
            as_floats(table["mean_value"]),
            as_floats(table["repeat_value"]),
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.histories)


@dataclass(frozen=True)
class ClvModel:
    """Both fits, and what a purchase is worth where the spending model could not be fitted."""

    buying: BgNbdFit
    spending: GammaGammaFit | None
    mean_value: float

    def value_of_purchase(self, buyers: Buyers) -> Floats:
        """Return what each customer is expected to spend on a purchase."""
        if self.spending is None:
            return np.full(len(buyers), self.mean_value)
        purchases = buyers.histories.frequency + 1
        return gamma_gamma.expected_value(self.spending.model, purchases, buyers.mean_value)


def fit(buyers: Buyers) -> ClvModel:
    """Fit both models to everybody who bought."""
    spending = gamma_gamma.fit(buyers.histories.frequency, buyers.repeat_value)
    known = buyers.mean_value[np.isfinite(buyers.mean_value)]
    mean_value = max(float(known.mean()), 0.0) if len(known) else float("nan")
    buying = bg_nbd.fit(buyers.histories)
    return ClvModel(
        replace(buying, model=bg_nbd.BgNbd(*_steady(buying.model))),
        spending and replace(spending, model=gamma_gamma.GammaGamma(*_steady(spending.model))),
        mean_value,
    )


def _steady(parameters: Iterable[float]) -> list[float]:
    """Return parameters without the digits in which two fits of the same rows may differ, by how numbers are summed."""
    return [float(f"{each:.5g}") for each in parameters]


def score(now: pa.Table, before: pa.Table | None = None) -> Scored:
    """Score everybody in `now`; see `Buyers.of` for its columns.

    `before` has the same columns as of `ClvPolicy.holdout_days` earlier, and `later_days`, on how many days each bought
    since: a model fitted to it is compared with what came. With too few buyers the scores are null.
    """
    buyers = Buyers.of(now)
    if len(buyers) < ClvPolicy.least_buyers:
        reason = f"{len(buyers)} customers have bought; a model needs {ClvPolicy.least_buyers}"
        return Scored(_no_scores(buyers), Quality(NO_MODEL, reason))
    try:
        model = fit(buyers)
    except NotFittedError as error:
        return Scored(_no_scores(buyers), Quality(NO_MODEL, str(error)))
    value = model.value_of_purchase(buyers)
    expected = bg_nbd.expected_purchases(
        model.buying.model, buyers.histories, [d / DAYS_A_WEEK for d in HORIZONS]
    )
    columns = {
        "customer_id": buyers.customers,
        "probability_alive": _rounded(bg_nbd.alive(model.buying.model, buyers.histories)),
        "value_of_purchase": _rounded(value),
    }
    for days, purchases in zip(HORIZONS, expected, strict=True):
        columns[f"purchases_{days}d"] = _rounded(purchases)
        columns[f"value_{days}d"] = _rounded(purchases * value)
    return Scored(pa.table(columns), _quality(model, buyers, before))


def _quality(model: ClvModel, buyers: Buyers, before: pa.Table | None) -> Quality:
    figures: dict[str, Any] = {
        "customers": len(buyers),
        **{f"bg_nbd_{name}": number for name, number in model.buying.model._asdict().items()},
        "bg_nbd_log_likelihood": model.buying.log_likelihood,
    }
    reasons = []
    if model.buying.penalised:
        reasons.append("the likelihood of BG/NBD has no maximum: fitted with a weak penalty")
    if model.spending is None:
        reasons.append("the spending model has no maximum: a purchase is worth the mean of all")
        figures["mean_value"] = model.mean_value
    else:
        named = model.spending.model._asdict().items()
        figures |= {f"gamma_gamma_{name}": number for name, number in named}
        figures["gamma_gamma_log_likelihood"] = model.spending.log_likelihood
        figures["gamma_gamma_customers"] = model.spending.customers
        figures["frequency_value_correlation"] = _correlation(buyers)
    compared = {} if before is None else _holdout(before)
    method = "bg_nbd" + ("" if model.spending is None else " + gamma_gamma")
    return Quality(method, "; ".join(reasons), mae=compared.get("mae"), figures=figures | compared)


def _holdout(before: pa.Table) -> dict[str, float]:
    """Return how far the purchases of the last days are from what a model without them expected.

    The rule that it is compared with lets everybody go on at the rate of all buyers.
    """
    buyers = Buyers.of(before)
    if len(buyers) < ClvPolicy.least_buyers:
        return {}
    try:
        model = bg_nbd.fit(buyers.histories).model
    except NotFittedError:
        return {}
    later = as_floats(before["later_days"])
    weeks = ClvPolicy.holdout_days / DAYS_A_WEEK
    (expected,) = bg_nbd.expected_purchases(model, buyers.histories, [weeks])
    observed = float(buyers.histories.age.sum())
    rate = float(buyers.histories.frequency.sum()) / observed if observed else 0.0
    return {
        "holdout_days": ClvPolicy.holdout_days,
        "holdout_customers": len(buyers),
        "holdout_purchases": float(later.sum()),
        "holdout_expected": float(expected.sum()),
        "mae": float(np.abs(later - expected).mean()),
        "mae_of_mean_rate": float(np.abs(later - rate * weeks).mean()),
        "rmse": float(np.sqrt(((later - expected) ** 2).mean())),
        "rmse_of_mean_rate": float(np.sqrt(((later - rate * weeks) ** 2).mean())),
    }


def _correlation(buyers: Buyers) -> float | None:
    """Return how frequency and value go together among repeaters; Gamma-Gamma supposes that they do not."""
    keep = gamma_gamma.usable(buyers.histories.frequency, buyers.repeat_value)
    frequency, value = buyers.histories.frequency[keep], buyers.repeat_value[keep]
    if not frequency.std() or not value.std():
        return None
    return float(np.corrcoef(frequency, value)[0, 1])


def _no_scores(buyers: Buyers) -> pa.Table:
    names = ["probability_alive", "value_of_purchase"]
    names += [f"{what}_{days}d" for days in HORIZONS for what in ("purchases", "value")]
    nothing = pa.nulls(len(buyers), pa.float64())
    return pa.table({"customer_id": buyers.customers} | dict.fromkeys(names, nothing))


def _rounded(values: Floats) -> pa.Array:
    """Return values to six digits behind the point, null where there is none: noise is no news."""
    return pa.array(np.round(values, 6), mask=~np.isfinite(values))


def _days(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.cast(pa.date32()).cast(pa.int32()).to_numpy(), dtype=np.float64)
