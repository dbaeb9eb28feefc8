"""BG/NBD: how often customers will buy again, and whether they still do (beta-geometric / negative binomial).

Sources of the formulas, by their authors Fader, Hardie and Lee:
- "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24(2), 2005:
  equations 6 (likelihood) and 10 (conditional expectation);
- Overcoming the BG/NBD Model's #NUM! Error Problem, 2013 (Fader and Hardie): the likelihood in logarithms;
- Computing P(alive) Using the BG/NBD Model, 2008 (Fader, Hardie, Lee).

A customer is three numbers: `frequency` x, how many days with a purchase came after the first one; `recency` t_x, when
the last of them was; `age` T, how long the first one is ago. Both times count from the first purchase, in weeks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lakehouse.scores.policy import ClvPolicy
from lakehouse.scores.result import NotFittedError
from lakehouse.scores.threads import one_thread

Floats = npt.NDArray[np.float64]

_NEAR_ONE: Final = 1e-7  # a - 1 below which the expectation divides nothing by nothing
_STEP: Final = 1e-4  # of a logarithm, for differences
_STARTS: Final = ((0.5, 1.0, 1.0, 1.0), (0.1, 0.3, 0.3, 1.0), (2.0, 3.0, 0.5, 3.0))


class BgNbd(NamedTuple):
    """The four parameters: purchases are gamma(r, alpha) in rate, drop-out is beta(a, b) after each purchase."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True)
class Histories:
    """What customers bought, an array each; `weight` is how many customers share a row.

    `frequency` counts, `recency` and `age` are weeks, 0 <= recency <= age, and recency is 0 where frequency is.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    weight: Floats

    @classmethod
    def of(cls, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> Histories:
        """Make histories of one customer a row; ValueError for numbers that no customer can have."""
        arrays = [np.asarray(values, dtype=np.float64) for values in (frequency, recency, age)]
        x, t_x, age_weeks = arrays
        consistent = (x >= 0) & (t_x >= 0) & (t_x <= age_weeks) & ((x > 0) | (t_x == 0))
        if not (consistent & np.isfinite(x) & np.isfinite(age_weeks)).all():
            wrong = int(np.argmin(consistent & np.isfinite(x) & np.isfinite(age_weeks)))
            raise ValueError(
                f"row {wrong} is no history: frequency, recency and age must be 0 <= t_x <= T, 0 <= x"
            )
        return cls(x, t_x, age_weeks, np.ones_like(x))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frequency)

    @property
    def customers(self) -> float:
        """Return how many customers the rows stand for."""
        return float(self.weight.sum())

    def distinct(self) -> Histories:
        """Return the same histories with equal rows put together: the likelihood is the same, and computed sooner."""
        columns = np.column_stack((self.frequency, self.recency, self.age))
        order = np.lexsort(columns.T)
        ordered = columns[order]
        starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
        weight = np.add.reduceat(self.weight[order], starts)
        x, t_x, age = ordered[starts].T.copy()
        return Histories(x, t_x, age, weight)


@dataclass(frozen=True)
class BgNbdFit:
    """Parameters with the log-likelihood at them, of all customers.

    `penalised` says that the likelihood alone has no maximum, and a weak preference for middling parameters decided.
    """

    model: BgNbd
    log_likelihood: float
    penalised: bool


def log_likelihood(model: BgNbd, histories: Histories) -> float:
    """Return the log-likelihood of all customers (equation 6, in logarithms)."""
    return _likelihood(np.log(model), histories, _Counts(histories.frequency))[0]


def fit(histories: Histories) -> BgNbdFit:
    """Return the parameters of the greatest likelihood.

    Where it has none within sound bounds (all customers are alike, nobody bought again, everybody always does) a weak
    penalty on the logarithms of the parameters makes one. NotFittedError without customers, or where that fails too.
    """
    if not len(histories):
        raise NotFittedError("there is no customer to fit BG/NBD to")
    rows = histories.distinct()
    found = _maximum(rows, penalty=0.0)
    penalised = found is None
    if found is None:
        found = _maximum(rows, penalty=ClvPolicy.penalty)
    if found is None:
        raise NotFittedError("the maximum of the penalised likelihood of BG/NBD was not found")
    return BgNbdFit(found, log_likelihood(found, rows), penalised)


def alive(model: BgNbd, histories: Histories) -> Floats:
    """Return the probability that each customer still buys: 1 where nothing was bought again, as the model has it."""
    return np.asarray(1.0 / (1.0 + _odds_gone(model, histories)))


def expected_purchases(model: BgNbd, histories: Histories, horizons: Sequence[float]) -> list[Floats]:
    """Return how many purchases to expect of each customer in the next weeks, an array a horizon (equation 10).

    Euler's transformation takes the powers out of 2F1, so that its parameters stay small however much was bought:
    (1-z)^(r+x) 2F1(r+x, b+x; c; z) = (1-z)^(a-1) 2F1(a+b-1-r, a-1; c; z), with c = a+b+x-1, z = t/(alpha+T+t). It
    depends on frequency and age alone, and is computed once for each pair of them.
    """
    still = alive(model, histories)
    counts, count = np.unique(histories.frequency, return_inverse=True)
    ages, age = np.unique(histories.age, return_inverse=True)
    pairs, pair = np.unique(count.ravel() * len(ages) + age.ravel(), return_inverse=True)
    x, age_weeks = counts[pairs // len(ages)], ages[pairs % len(ages)]
    return [
        np.asarray(_expected_while_alive(model, x, age_weeks, weeks)[pair.ravel()] * still)
        for weeks in horizons
    ]


def _expected_while_alive(model: BgNbd, x: Floats, age: Floats, weeks: float) -> Floats:
    from scipy.special import hyp2f1  # noqa: PLC0415 - not at start-up

    r, alpha, a, b = model
    if abs(a - 1) < _NEAR_ONE:
        a = 1 + _NEAR_ONE
    c = a + b + x - 1
    c = np.where(np.abs(c) < _NEAR_ONE, _NEAR_ONE, c)  # both sides of the pole say the same
    z = weeks / (alpha + age + weeks)
    power = np.exp((a - 1) * (np.log(alpha + age) - np.log(alpha + age + weeks)))
    series = power * hyp2f1(a + b - 1 - r, a - 1, c, z)
    return np.asarray(np.maximum(c / (a - 1) * (1 - series), 0.0))


def _odds_gone(model: BgNbd, histories: Histories) -> Floats:
    """Return the odds that a customer is gone."""
    r, alpha, a, b = model
    x, t_x, age = histories.frequency, histories.recency, histories.age
    again = x > 0
    more = np.where(again, x, 1.0)
    logarithm = np.log(a) - np.log(b + more - 1) + (r + x) * (np.log(alpha + age) - np.log(alpha + t_x))
    return np.where(again, np.exp(np.minimum(logarithm, ClvPolicy.largest_log_odds)), 0.0)


class _Counts:
    """The distinct frequencies, of which the costly functions are computed once."""

    def __init__(self, frequency: Floats) -> None:
        self.values, self.inverse = np.unique(frequency, return_inverse=True)


def _likelihood(log_model: Floats, rows: Histories, counts: _Counts) -> tuple[float, Floats]:
    """Return the log-likelihood and its gradient by the logarithms of the four parameters."""
    from scipy.special import digamma, gammaln  # noqa: PLC0415 - not at start-up

    r, alpha, a, b = np.exp(log_model)
    n = counts.values
    x, t_x, age, weight = rows.frequency, rows.recency, rows.age, rows.weight
    by_count = gammaln(r + n) - gammaln(r) + gammaln(a + b) + gammaln(b + n) - gammaln(b) - gammaln(a + b + n)
    log_age, log_last = np.log(alpha + age), np.log(alpha + t_x)
    again = x > 0
    more = np.where(again, x, 1.0)
    stays = -(r + x) * log_age
    leaves = np.where(again, np.log(a) - np.log(b + more - 1) - (r + x) * log_last, -np.inf)
    both = np.logaddexp(stays, leaves)
    value = _sum(weight, by_count[counts.inverse] + r * np.log(alpha) + both)

    left = np.exp(leaves - both)  # the share of the sum that is of customers who left
    kept = 1 - left
    of_r = (digamma(r + n) - digamma(r))[counts.inverse] + np.log(alpha) - kept * log_age - left * log_last
    of_alpha = r / alpha - (r + x) * (kept / (alpha + age) + left / (alpha + t_x))
    of_a = (digamma(a + b) - digamma(a + b + n))[counts.inverse] + left / a
    of_b = (digamma(a + b) + digamma(b + n) - digamma(b) - digamma(a + b + n))[counts.inverse]
    of_b = of_b - np.where(again, left / (b + more - 1), 0.0)
    gradient = np.array([_sum(weight, part) for part in (of_r, of_alpha, of_a, of_b)])
    return value, np.asarray(gradient * np.exp(log_model))


def _sum(weight: Floats, values: Floats) -> float:
    """Return the weighted sum; the library of `@` would start threads that wait for each other on a busy machine."""
    return float((weight * values).sum())


def _maximum(rows: Histories, penalty: float) -> BgNbd | None:
    """Return the best parameters from several starts; None where they lie on a bound, or nothing converged."""
    from scipy.optimize import minimize  # noqa: PLC0415 - not at start-up

    counts, total = _Counts(rows.frequency), rows.customers

    def cost(log_model: Floats) -> tuple[float, Floats]:
        value, gradient = _likelihood(log_model, rows, counts)
        pull = penalty / total
        size = float(log_model @ log_model)
        return -value / total + pull * size, -gradient / total + 2 * pull * log_model

    bound = ClvPolicy.log_bound
    best = None
    for start in _STARTS:
        with one_thread():
            tried = minimize(
                cost, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-bound, bound)] * 4,
                options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": ClvPolicy.iterations},
            )  # fmt: skip
        if np.isfinite(tried.fun) and (best is None or tried.fun < best.fun):
            best = tried
        if _is_inner(tried, bound):
            break
    if best is None or not _is_inner(best, bound):
        return None
    if not penalty and _least_curvature(cost, best.x) * total < ClvPolicy.least_curvature:
        return None
    return BgNbd(*(float(value) for value in np.exp(best.x)))


def _least_curvature(cost: Callable[[Floats], tuple[float, Floats]], at: Floats) -> float:
    """Return how much the cost rises in the direction in which it rises least, by differences of its slopes.

    In a flat direction customers say nothing: of drop-out, where nobody ever bought again.
    """
    steps = np.eye(len(at)) * _STEP
    slopes = np.array([cost(at + step)[1] - cost(at - step)[1] for step in steps]) / (2 * _STEP)
    return float(np.linalg.eigvalsh((slopes + slopes.T) / 2).min())


def _is_inner(found: object, bound: float) -> bool:
    """Return whether the optimiser stopped at a maximum inside the bounds."""
    position, slope = found.x, found.jac  # type: ignore[attr-defined]
    inside = np.abs(position).max() < bound - ClvPolicy.bound_margin
    return bool(inside and np.abs(slope).max() < ClvPolicy.flat_slope)
