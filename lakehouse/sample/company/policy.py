"""What is planted in the company: every parameter that a reader of its exports should find again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

CHANNELS = ("douyin", "wechat", "search", "store", "referral")
LOSS_REASONS = ("price", "competitor", "no_need", "no_answer", "delivery")


@dataclass(frozen=True)
class Hazard:
    """The weekly chance to stop, on the logit scale: intercept and what each driver adds.

    `complaint`: a complaint in the last 60 days; `day`: each day since the last visit (site, app or shop);
    `discount`: from no order to every order with a promotion. Discrete-time logistic hazard (Allison 1982).
    """

    intercept: float = -5.6
    complaint: float = 1.4
    day: float = 0.010
    discount: float = 1.0


@dataclass(frozen=True)
class FaultRates:
    """How many values of a column, or rows of a file, have each fault; shares of 1."""

    trailing_space: float = 0.01
    full_width_digits: float = 0.01
    dashed_phone: float = 0.15
    prefixed_phone: float = 0.10
    excel_phone: float = 0.004
    missing_email: float = 0.25
    empty_string: float = 0.02
    slash_date: float = 0.10
    chinese_date: float = 0.05
    duplicate_row: float = 0.005


@dataclass(frozen=True)
class Plants:
    """The planted facts; shares and rates are of 1, lengths in days unless named otherwise."""

    every: int = 500  # one of each kind of planted identity among so many people; 0: none
    friday_peak: float = 0.45  # of young parents' orders of baby goods fall on Friday, 20-22 h
    rain_lift: float = 0.30  # of chocolate, in the city and on the day of rain
    cycle_share: float = 0.08
    cycle_days: tuple[int, ...] = (14, 28, 45)
    cycle_jitter: float = 1.5  # standard deviation, cut at three
    price_sensitive: float = 0.12
    promoted_factor: float = 3.0  # on a price-sensitive customer's rate while the favourite is discounted
    full_price_factor: float = 0.10  # and while it is not
    complaint_rate: float = 0.06  # of orders
    hazard: Hazard = field(default_factory=Hazard)
    campaign_uplift: float = 0.18  # relative, on orders a customer within a wave's window
    loss_reasons: tuple[tuple[float, ...], ...] = (  # a row a channel of CHANNELS, a column a LOSS_REASONS
        (0.15, 0.10, 0.45, 0.25, 0.05),
        (0.20, 0.15, 0.20, 0.40, 0.05),
        (0.45, 0.30, 0.10, 0.10, 0.05),
        (0.25, 0.15, 0.15, 0.05, 0.40),
        (0.20, 0.45, 0.15, 0.10, 0.10),
    )
    empty_notes: float = 0.85  # of the notes of salespeople who leave them empty
    pasted_notes: float = 0.80  # of the notes of salespeople who paste one text
    next_day_returns: float = 0.18  # of apparel orders
    dirt: FaultRates = field(default_factory=FaultRates)

    def as_json(self) -> dict[str, Any]:
        """Return every parameter, with the names of channels and reasons beside their shares."""
        told = asdict(self)
        told["loss_reasons"] = {
            channel: dict(zip(LOSS_REASONS, shares, strict=True))
            for channel, shares in zip(CHANNELS, self.loss_reasons, strict=True)
        }
        return told

    @classmethod
    def absent(cls) -> Plants:
        """Return a company in which nothing is planted: what a test must not find in it."""
        even = (1 / len(LOSS_REASONS),) * len(LOSS_REASONS)
        return cls(
            every=0,
            friday_peak=0.0,
            rain_lift=0.0,
            cycle_share=0.0,
            promoted_factor=1.0,
            full_price_factor=1.0,
            hazard=replace(Hazard(), complaint=0.0, day=0.0, discount=0.0, intercept=-5.0),
            campaign_uplift=0.0,
            loss_reasons=(even,) * len(CHANNELS),
            empty_notes=0.0,
            pasted_notes=0.0,
            next_day_returns=0.0,
            dirt=FaultRates(*(0.0,) * 10),
        )
