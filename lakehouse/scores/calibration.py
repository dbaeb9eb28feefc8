"""Chances that mean what they say: calibration, and how good a forecast was."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lakehouse.scores.policy import PropensityPolicy
from lakehouse.scores.threads import one_thread

if TYPE_CHECKING:
    from lakehouse.scores.bg_nbd import Floats

    Truths = npt.NDArray[np.bool_]

ISOTONIC, SIGMOID = "isotonic", "sigmoid"


def method_for(happened: Truths) -> str:
    """Return how to calibrate: isotonic, which takes any rising shape, where there is enough of both kinds."""
    rarer = min(int(happened.sum()), int((~happened).sum()))
    return ISOTONIC if rarer >= PropensityPolicy.isotonic_from else SIGMOID


def calibrate(raw: Floats, happened: Truths) -> Callable[[Floats], Floats]:
    """Return a function from raw scores, of which higher is likelier, to chances that never fall where those rise.

    Fitted to scores of customers whose outcome is known, and both kinds of outcome. No chance is nearer to 0 or 1 than
    one customer in all of these could show.
    """
    least = 1 / (len(raw) + 2)
    chance = _isotonic(raw, happened) if method_for(happened) == ISOTONIC else _sigmoid(raw, happened)
    return lambda scores: np.clip(chance(scores), least, 1 - least)


def _isotonic(raw: Floats, happened: Truths) -> Callable[[Floats], Floats]:
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - heavy, and only needed here

    curve = IsotonicRegression(out_of_bounds="clip").fit(raw, happened.astype(np.float64))
    return lambda scores: np.asarray(curve.predict(scores))


def _sigmoid(raw: Floats, happened: Truths) -> Callable[[Floats], Floats]:
    """Return Platt's sigmoid; a falling one is flattened, since it says that the scores are worth nothing."""
    from scipy.optimize import minimize  # noqa: PLC0415
    from scipy.special import expit  # noqa: PLC0415

    middle, width = float(raw.mean()), float(raw.std()) or 1.0
    positives, negatives = int(happened.sum()), int((~happened).sum())
    # Platt's targets: as if one more of each kind had been seen
    target = np.where(happened, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def cost(line: Floats) -> tuple[float, Floats]:
        score = line[0] + line[1] * (raw - middle) / width
        loss = np.logaddexp(0, score) - target * score
        wrong = expit(score) - target
        return float(loss.mean()), np.array([wrong.mean(), (wrong * (raw - middle) / width).mean()])

    start = np.array([np.log(target.mean() / (1 - target.mean())), 0.0])
    with one_thread():
        line = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, None)]).x
    return lambda scores: np.asarray(expit(line[0] + line[1] * (scores - middle) / width))


def auc(chance: Floats, happened: Truths) -> float:
    """Return the chance that of two customers, one of each kind, the right one has the higher score; ties count half.

    The area under the ROC curve, by ranks (Mann and Whitney).
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - not at start-up

    positives = float(happened.sum())
    negatives = float(len(happened)) - positives
    ranks = rankdata(chance)
    return float((ranks[happened].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def brier(chance: Floats, happened: Truths) -> float:
    """Return the mean squared distance between chances and what happened (0 or 1)."""
    return float(((chance - happened) ** 2).mean())


def calibration_table(chance: Floats, happened: Truths) -> list[dict[str, Any]]:
    """Return, for customers in equal groups by rising chance, how many there are, what was said and what happened."""
    order = np.argsort(chance, kind="stable")
    groups = np.array_split(order, PropensityPolicy.calibration_bins)
    return [
        {
            "customers": len(group),
            "said": round(float(chance[group].mean()), 4),
            "happened": round(float(happened[group].mean()), 4),
        }
        for group in groups
        if len(group)
    ]
