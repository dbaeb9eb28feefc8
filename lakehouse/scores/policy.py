"""The tunable numbers of the scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class ScoreRunPolicy(Policy):
    """How often scores are computed: each run reads every order, and learns from all customers."""

    rest: Annotated[timedelta, "after a run, in which new rows alone are no reason for another"] = timedelta(
        minutes=10
    )


@dataclass(frozen=True)
class ClvPolicy(Policy):
    """How customer lifetime value is fitted and computed."""

    least_buyers: Annotated[int, "buyers below which no model is fitted: too few say too little"] = 100
    holdout_days: Annotated[int, "last days that a model without them is compared with, at each run"] = 90
    least_repeaters: Annotated[int, "customers who bought again, below which no spending model is fitted"] = (
        30
    )
    least_tail: Annotated[float, "q of Gamma-Gamma above 1, or its mean is that of a few outliers"] = 0.05
    iterations: Annotated[int, "steps of the optimiser from one start"] = 500
    log_bound: Annotated[float, "the logarithm of a parameter stays between minus this and this"] = 9.0
    bound_margin: Annotated[float, "nearer to that bound, the likelihood counts as without a maximum"] = 0.5
    flat_slope: Annotated[float, "slope a customer below which the optimiser is at a maximum"] = 1e-4
    least_curvature: Annotated[
        float, "of the log-likelihood of all customers, below which they say nothing of some parameter"
    ] = 0.1
    penalty: Annotated[
        float, "of the squared logarithm of each parameter, where the likelihood has no maximum"
    ] = 0.5
    largest_log_odds: Annotated[float, "logarithm of the odds that a customer is gone, at most"] = 700.0


@dataclass(frozen=True)
class BoostingPolicy(Policy):
    """Gradient boosting of scikit-learn: many small trees, slowly."""

    trees: Annotated[int, "trees, one after another"] = 80
    learning_rate: Annotated[float, "share of each tree's answer that counts"] = 0.08
    leaves: Annotated[int, "leaves of one tree, at most"] = 8
    least_in_leaf: Annotated[int, "customers in a leaf, at least"] = 40
    l2: Annotated[float, "pull of each leaf towards nothing"] = 1.0
    most_rows: Annotated[int, "customers that a model is fitted to; of more a sample is taken"] = 200_000


@dataclass(frozen=True)
class PropensityPolicy(Policy):
    """How the chance of something is learned and checked."""

    calibrated_on: Annotated[float, "share of the customers that calibrate a model and do not fit it"] = 0.3
    isotonic_from: Annotated[
        int, "customers of the rarer class among these, from which calibration is isotonic; below, a sigmoid"
    ] = 300
    least_of_class: Annotated[
        int, "customers of either kind, below which nothing can be learned or checked"
    ] = 50
    least_gain: Annotated[
        float, "share by which a method's Brier score must be below that of a simpler one to be used"
    ] = 0.01
    calibration_bins: Annotated[int, "rows of the calibration table"] = 10


@dataclass(frozen=True)
class ChurnPolicy(Policy):
    """What leaving means, and which reasons are given."""

    horizon_days: Annotated[int, "who buys nothing for this long has left"] = 90
    least_lift: Annotated[float, "a reason raises the chance of leaving by this much, at least"] = 0.02
    most_reasons: Annotated[int, "reasons a customer"] = 3


@dataclass(frozen=True)
class VipPolicy(Policy):
    """Who counts as a very good customer."""

    top_share: Annotated[float, "share of a period's buyers, the best payers, who set the level"] = 0.1


@dataclass(frozen=True)
class NextProductPolicy(Policy):
    """How products are chosen that a customer may buy next."""

    products: Annotated[int, "products a customer"] = 10
    history_days: Annotated[int, "purchases older than this say nothing"] = 730
    holdout_days: Annotated[int, "last days whose purchases the methods are compared on"] = 30
    fade_days: Annotated[float, "after this long a purchase weighs 1/e of one today"] = 60.0
    most_of_customer: Annotated[int, "products of one customer that count: those that weigh most"] = 100
    least_customers: Annotated[int, "customers of a product, below which nothing is said to go with it"] = 5
    least_together: Annotated[
        int, "customers of two products, below which it is chance that they go together"
    ] = 2
    neighbours: Annotated[int, "products that go with one"] = 50
    share_of_neighbours: Annotated[
        float, "what all neighbours of a product weigh together, beside the product itself"
    ] = 0.3
    least_buyers: Annotated[int, "customers with products, below which nothing is computed"] = 100
    checked_customers: Annotated[int, "customers that the methods are compared on, at most"] = 10_000
    rows_at_once: Annotated[int, "customers or products that are multiplied at once"] = 2_000
