"""What two groups that were drawn by chance say of a campaign: differences, with intervals of 95 %. Pure.

The difference of two shares has the interval of Newcombe (1998, method 10): Wilson's scores of each. The ratio of
orders has that of the delta method, with the variance of each group's counts, for some buy often.
`marts.campaign_effect` says the same in SQL, of the campaigns that a CRM runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import exp, sqrt
from typing import Final, Literal

Verdict = Literal["works", "harms", "not seen", "no control group", "too early"]

_Z: Final = 1.96  # of a normal distribution: 95 % of it lie within
_Z_POWER: Final = 0.8416  # and 80 % lie below


@dataclass(frozen=True)
class Group:
    """Customers who were drawn, and what they bought in their days.

    `squared_orders` is the sum of the squares of the orders of each; `value` is in the home currency.
    """

    customers: int = 0
    buyers: int = 0
    orders: int = 0
    squared_orders: int = 0
    value: Decimal = Decimal(0)

    @property
    def share(self) -> float:
        """The share that bought; 0 of nobody."""
        return self.buyers / self.customers if self.customers else 0.0

    @property
    def mean(self) -> float:
        """Orders a customer; 0 of nobody."""
        return self.orders / self.customers if self.customers else 0.0


@dataclass(frozen=True)
class Interval:
    """A figure, and between which values it lies in 95 cases of 100."""

    value: float
    low: float
    high: float


def share_difference(treated: Group, control: Group) -> Interval | None:
    """Return how many more of the treated bought, as a difference of shares; None where a group is empty."""
    if not treated.customers or not control.customers:
        return None
    low_treated, high_treated = _wilson(treated)
    low_control, high_control = _wilson(control)
    difference = treated.share - control.share
    below = sqrt((treated.share - low_treated) ** 2 + (high_control - control.share) ** 2)
    above = sqrt((high_treated - treated.share) ** 2 + (control.share - low_control) ** 2)
    return Interval(difference, difference - below, difference + above)


def order_lift(treated: Group, control: Group) -> Interval | None:
    """Return how many more orders a treated customer made, as a part of a control customer's; None without orders."""
    if not treated.orders or not control.orders:
        return None
    ratio = treated.mean / control.mean
    deviation = sqrt(_relative_variance(treated) + _relative_variance(control))
    return Interval(ratio - 1, ratio * exp(-_Z * deviation) - 1, ratio * exp(_Z * deviation) - 1)


def visible_from(share: float, treated: int, control: int) -> float | None:
    """Return the smallest difference of shares that groups of these sizes show in four cases of five.

    `share` is that of both together that buys. None where a group is empty, for then nothing shows.
    """
    if not treated or not control:
        return None
    return (_Z + _Z_POWER) * sqrt(share * (1 - share) * (1 / treated + 1 / control))


def verdict(difference: Interval | None, *, has_control: bool) -> Verdict:
    """Return what a difference says; where there is a control group and no difference, it is too early for one."""
    if difference is None:
        return "too early" if has_control else "no control group"
    if difference.low > 0:
        return "works"
    return "harms" if difference.high < 0 else "not seen"


def _wilson(group: Group) -> tuple[float, float]:
    """Return Wilson's interval of the share; rounding does not let the share leave it."""
    count, share = group.customers, group.share
    middle = share + _Z**2 / (2 * count)
    reach = _Z * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return min((middle - reach) / scale, share), max((middle + reach) / scale, share)


def _relative_variance(group: Group) -> float:
    variance = max(group.squared_orders / group.customers - group.mean**2, 0.0)
    return variance / group.customers / group.mean**2
