"""Gamma-Gamma: what customers spend on a day with a purchase, from the mean of those that were seen.

Source of the formulas: Fader and Hardie, The Gamma-Gamma Model of Monetary Value, 2013, equations 1a (likelihood) and
5 (conditional expectation). What a customer spends each time varies about a mean of his own, and must have nothing to
do with how often he buys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lakehouse.scores.policy import ClvPolicy
from lakehouse.scores.threads import one_thread

if TYPE_CHECKING:
    from lakehouse.scores.bg_nbd import Floats

_STARTS: Final = ((3.0, 3.0, 3.0), (1.0, 2.0, 1.0), (10.0, 5.0, 1.0))  # p, q, gamma of values about 1


class GammaGamma(NamedTuple):
    """The three parameters; `gamma` is in the unit of the values."""

    p: float
    q: float
    gamma: float

    @property
    def population_mean(self) -> float:
        """Return what a customer of whom nothing is known spends; q is above 1, else there is no such mean."""
        return self.p * self.gamma / (self.q - 1)


@dataclass(frozen=True)
class GammaGammaFit:
    """Parameters with the log-likelihood at them, and of how many customers."""

    model: GammaGamma
    log_likelihood: float
    customers: int


def usable(purchases: Floats, mean_value: Floats) -> npt.NDArray[np.bool_]:
    """Return which customers say something: they bought, and for more than nothing, as a gamma variable does."""
    return np.isfinite(mean_value) & (purchases > 0) & (mean_value > 0)


def fit(purchases: Floats, mean_value: Floats) -> GammaGammaFit | None:
    """Return the parameters of the greatest likelihood, from customers with purchases and their mean value each.

    None where there is no such maximum, too few customers to look for one, or none with a finite mean (q <= 1). Values
    are divided by their mean first: the likelihood of large sums is too steep to be climbed.
    """
    keep = usable(purchases, mean_value)
    n, m = purchases[keep], mean_value[keep]
    if len(m) < ClvPolicy.least_repeaters:
        return None
    scale = float(m.mean())
    found = _maximum(n, m / scale)
    if found is None or found.q <= 1 + ClvPolicy.least_tail:
        return None
    value = _likelihood(np.log(found), n, m / scale)[0] - len(m) * np.log(scale)
    return GammaGammaFit(GammaGamma(found.p, found.q, found.gamma * scale), float(value), len(m))


def expected_value(model: GammaGamma, purchases: Floats, mean_value: Floats) -> Floats:
    """Return what each customer is expected to spend on a day with a purchase (equation 5).

    It lies between the customer's own mean and that of all; without a usable mean it is that of all.
    """
    p, q, gamma = model
    keep = usable(purchases, mean_value)
    n = np.where(keep, purchases, 0.0)
    m = np.where(keep, mean_value, 0.0)
    return np.asarray(p * (gamma + n * m) / (p * n + q - 1))


def _likelihood(log_model: Floats, n: Floats, m: Floats) -> tuple[float, Floats]:
    """Return the log-likelihood and its gradient by the logarithms of the three parameters."""
    from scipy.special import digamma, gammaln  # noqa: PLC0415 - not at start-up

    p, q, gamma = np.exp(log_model)
    total = n * m
    log_sum = np.log(gamma + total)
    value = (
        gammaln(p * n + q) - gammaln(p * n) - gammaln(q)
        + q * np.log(gamma) + (p * n - 1) * np.log(m) + p * n * np.log(n) - (p * n + q) * log_sum
    )  # fmt: skip
    both = digamma(p * n + q)
    of_p = n * (both - digamma(p * n) + np.log(m) + np.log(n) - log_sum)
    of_q = both - digamma(q) + np.log(gamma) - log_sum
    of_gamma = q / gamma - (p * n + q) / (gamma + total)
    gradient = np.array([of_p.sum(), of_q.sum(), of_gamma.sum()])
    return float(value.sum()), gradient * np.exp(log_model)


def _maximum(n: Floats, m: Floats) -> GammaGamma | None:
    from scipy.optimize import minimize  # noqa: PLC0415 - not at start-up

    def cost(log_model: Floats) -> tuple[float, Floats]:
        value, gradient = _likelihood(log_model, n, m)
        return -value / len(m), -gradient / len(m)

    bound = ClvPolicy.log_bound
    for start in _STARTS:
        with one_thread():
            tried = minimize(
                cost, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-bound, bound)] * 3,
                options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": ClvPolicy.iterations},
            )  # fmt: skip
        inside = np.abs(tried.x).max() < bound - ClvPolicy.bound_margin
        if inside and np.abs(tried.jac).max() < ClvPolicy.flat_slope:
            return GammaGamma(*(float(value) for value in np.exp(tried.x)))
    return None
