"""Learns the chance of something from the past, in time: fitted to one period, checked on the next, used now.

Several methods are tried, a simple rule first. The one whose chances were best in the period that none had seen (least
Brier score, and better than the simpler ones by a margin) is used, and fitted anew to that period, the newest whose
outcome is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lakehouse.scores import calibration
from lakehouse.scores.policy import BoostingPolicy, PropensityPolicy
from lakehouse.scores.result import NotFittedError
from lakehouse.scores.threads import one_thread

if TYPE_CHECKING:
    from lakehouse.scores.bg_nbd import Floats
    from lakehouse.scores.calibration import Truths
    from lakehouse.scores.features import Panel

BOOSTING = "gradient_boosting"
Raw = Callable[["Panel"], "Floats"]  # scores of which higher is likelier, of any scale
Method = Callable[["Panel", "Truths"], Raw]  # fits to customers and what came of them


@dataclass(frozen=True)
class Period:
    """Customers as they were on a day, and what came of them since."""

    panel: Panel
    happened: Truths

    @property
    def missing(self) -> str:
        """Return why nothing can be learned from it; "" where something can."""
        yes, no = int(self.happened.sum()), int((~self.happened).sum())
        if min(yes, no) >= PropensityPolicy.least_of_class:
            return ""
        return f"{yes} customers of {yes + no} did it; of either kind {PropensityPolicy.least_of_class} are needed"


@dataclass(frozen=True)
class Propensity:
    """The method that was best, how good each was, and the chances it gives now."""

    method: str
    chance: Raw
    figures: dict[str, Any]


def learn(earlier: Period, later: Period, methods: Mapping[str, Method]) -> Propensity:
    """Choose among methods by how they do on `later`, and fit the best one to it.

    ValueError where either period says too little: see `Period.missing`.
    """
    for period in (earlier, later):
        if period.missing:
            raise ValueError(period.missing)
    chances = {}
    for name, method in methods.items():
        try:
            chances[name] = calibrated(method, earlier)(later.panel)
        except NotFittedError:
            continue  # the others compete without it
    scores = {name: calibration.brier(chance, later.happened) for name, chance in chances.items()}
    best = _best(scores)
    base = float(earlier.happened.mean())
    figures: dict[str, Any] = {
        "fitted_to": len(earlier.panel),
        "checked_on": len(later.panel),
        "happened_share": float(later.happened.mean()),
        "brier_of_the_mean": calibration.brier(np.full(len(later.panel), base), later.happened),
        "methods": {
            name: {"auc": calibration.auc(chance, later.happened), "brier": scores[name]}
            for name, chance in chances.items()
        },
        "calibration": calibration.calibration_table(chances[best], later.happened),
        "calibrated_by": calibration.method_for(later.happened[_calibrating(later.panel)]),
    }
    return Propensity(best, calibrated(methods[best], later), figures)


def _best(scores: Mapping[str, float]) -> str:
    """Return the method with the least score; one that stands later must be better by a margin, not by chance."""
    names = iter(scores)
    best = next(names)
    for name in names:
        if scores[name] < scores[best] * (1 - PropensityPolicy.least_gain):
            best = name
    return best


def calibrated(method: Method, period: Period) -> Raw:
    """Fit a method to some of the customers, calibrate it on the others; return the chances that it gives."""
    apart = _calibrating(period.panel)
    raw = method(period.panel.part(~apart), period.happened[~apart])
    chance = calibration.calibrate(raw(period.panel.part(apart)), period.happened[apart])
    return lambda panel: chance(raw(panel))


def boosting(panel: Panel, happened: Truths) -> Raw:
    """Fit scikit-learn's gradient boosting; unknown features are a value of their own."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - takes a second

    if len(panel) > BoostingPolicy.most_rows:
        chosen = np.argsort(panel.draws, kind="stable")[: BoostingPolicy.most_rows]
        panel, happened = panel.part(chosen), happened[chosen]
    known = np.isfinite(panel.values).any(axis=0)  # the library refuses a feature that nobody has
    model = HistGradientBoostingClassifier(
        max_iter=BoostingPolicy.trees,
        learning_rate=BoostingPolicy.learning_rate,
        max_leaf_nodes=BoostingPolicy.leaves,
        min_samples_leaf=BoostingPolicy.least_in_leaf,
        l2_regularization=BoostingPolicy.l2,
        early_stopping=False,
        random_state=0,
    )
    with one_thread():
        model.fit(panel.values[:, known], happened)

    def raw(customers: Panel) -> Floats:
        with one_thread():
            return np.asarray(model.decision_function(customers.values[:, known]))

    return raw


def by_feature(name: str) -> Method:
    """Return the rule that knows one feature, which all have: the more, the likelier."""
    return lambda _panel, _happened: lambda panel: np.log1p(np.maximum(panel.column(name), 0.0))


def _calibrating(panel: Panel) -> Truths:
    """Return who calibrates: by the id, so that a customer more moves nobody else."""
    return np.asarray(panel.draws < PropensityPolicy.calibrated_on)
