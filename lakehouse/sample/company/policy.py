"""What can be turned in the company: the planted facts, the faults of exports, and how usual people behave.

A planted fact ("plant") is one that a reader of the exports should find again; `truth.json` says each. The other
policies describe an ordinary company, in which plants must be distinguished from chance. Every number that is changed
changes the bytes that are written.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from lakehouse.policy import Policy

CHANNELS = ("douyin", "wechat", "search", "store", "referral")
LOSS_REASONS = ("price", "competitor", "no_need", "no_answer", "delivery")


@dataclass(frozen=True)
class Hazard(Policy):
    """The weekly chance to stop, on the logit scale: intercept and what each driver adds.

    Discrete-time logistic hazard (Allison 1982).
    """

    intercept: Annotated[float, "logit of the chance when no driver is there"] = -5.6
    complaint: Annotated[float, "added for a complaint in the last 60 days"] = 1.4
    day: Annotated[float, "added for each day since the last visit of site, app or shop"] = 0.010
    discount: Annotated[float, "added when every order had a promotion, in proportion for fewer"] = 1.0


@dataclass(frozen=True)
class FaultRates(Policy):
    """How many values of a column, or rows of a file, have each fault."""

    trailing_space: Annotated[float, "of names and cities have a space behind"] = 0.01
    full_width_digits: Annotated[float, "of phones are written in full-width digits"] = 0.01
    dashed_phone: Annotated[float, "of phones are written 138-1234-5678"] = 0.15
    prefixed_phone: Annotated[float, "of phones are written +86 138 1234 5678"] = 0.10
    excel_phone: Annotated[float, "of phones were spoilt by a spreadsheet: 1.38E+10"] = 0.004
    missing_email: Annotated[float, "of e-mail addresses are left out"] = 0.25
    empty_string: Annotated[float, "of remarks are an empty text instead of an empty field"] = 0.02
    slash_date: Annotated[float, "of typed moments are written 2026/1/5 13:04"] = 0.10
    chinese_date: Annotated[float, "of typed moments are written 2026年1月5日 13:04"] = 0.05
    duplicate_row: Annotated[float, "of rows are there twice"] = 0.005


@dataclass(frozen=True)
class Plants(Policy):
    """The planted facts; shares and rates are of 1."""

    every: Annotated[int, "one of each kind of planted identity among so many people; 0: none"] = 500
    friday_peak: Annotated[float, "of young parents' orders of baby goods fall on Friday, 20-22 h"] = 0.45
    rain_lift: Annotated[float, "more chocolate is sold in the city and on the day of rain"] = 0.30
    cycle_share: Annotated[float, "of people buy coffee in a fixed cycle"] = 0.08
    cycle_days: Annotated[tuple[int, ...], "lengths of such cycles"] = (14, 28, 45)
    cycle_jitter: Annotated[float, "standard deviation of a cycle in days, cut at three of them"] = 1.5
    price_sensitive: Annotated[float, "of people wait for promotions"] = 0.12
    promoted_factor: Annotated[float, "on their rate of orders while their favourite is discounted"] = 3.0
    full_price_factor: Annotated[float, "on their rate of orders while it is not"] = 0.10
    complaint_rate: Annotated[float, "of orders are complained about"] = 0.06
    hazard: Annotated[Hazard, "why customers stop"] = Hazard()
    campaign_uplift: Annotated[float, "more orders a treated customer within a wave's window, relative"] = (
        0.18
    )
    advert_visits: Annotated[
        float, "of visits of the site without an order are brought by a running campaign"
    ] = 0.20
    advert_orders: Annotated[
        tuple[float, float, float],
        "of orders on the site while a campaign of douyin, wechat, search runs, are brought by it",
    ] = (0.04, 0.12, 0.30)
    loss_reasons: Annotated[
        tuple[tuple[float, ...], ...],
        "shares of reasons for a lost deal: a row a channel of CHANNELS, a column a reason of LOSS_REASONS",
    ] = (
        (0.15, 0.10, 0.45, 0.25, 0.05),
        (0.20, 0.15, 0.20, 0.40, 0.05),
        (0.45, 0.30, 0.10, 0.10, 0.05),
        (0.25, 0.15, 0.15, 0.05, 0.40),
        (0.20, 0.45, 0.15, 0.10, 0.10),
    )
    empty_notes: Annotated[float, "of the notes of salespeople who leave them empty"] = 0.85
    pasted_notes: Annotated[float, "of the notes of salespeople who paste one text"] = 0.80
    next_day_returns: Annotated[float, "of apparel orders come back the day after"] = 0.18
    dirt: Annotated[FaultRates, "faults of the exports"] = FaultRates()

    def as_json(self) -> dict[str, Any]:
        """Return every parameter, with the names of channels and reasons beside their shares."""
        parameters = asdict(self)
        parameters["loss_reasons"] = {
            channel: dict(zip(LOSS_REASONS, shares, strict=True))
            for channel, shares in zip(CHANNELS, self.loss_reasons, strict=True)
        }
        return parameters

    @classmethod
    def absent(cls) -> Plants:
        """Return a company in which nothing is planted: what a test must not find in it."""
        even_shares = (1 / len(LOSS_REASONS),) * len(LOSS_REASONS)
        return cls(
            every=0,
            friday_peak=0.0,
            rain_lift=0.0,
            cycle_share=0.0,
            promoted_factor=1.0,
            full_price_factor=1.0,
            hazard=replace(Hazard(), complaint=0.0, day=0.0, discount=0.0, intercept=-5.0),
            campaign_uplift=0.0,
            advert_visits=0.0,
            advert_orders=(0.0, 0.0, 0.0),
            loss_reasons=(even_shares,) * len(CHANNELS),
            empty_notes=0.0,
            pasted_notes=0.0,
            next_day_returns=0.0,
            dirt=FaultRates(*(0.0,) * 10),
        )


@dataclass(frozen=True)
class PeoplePolicy(Policy):
    """Who lives with whom, and when people become customers."""

    new_household: Annotated[float, "of people begin a household; the others join the one before"] = 0.62
    child: Annotated[float, "of households have a child of 0 to 12 years"] = 0.38
    young_child_years: Annotated[int, "oldest age of the child of young parents when history ends"] = 3
    parent_ages: Annotated[tuple[int, int], "youngest and oldest age of young parents when history ends"] = (
        24,
        42,
    )
    joined_before: Annotated[float, "of people were customers before history begins"] = 0.35
    quiet_end_days: Annotated[int, "days at the end of history in which nobody joins"] = 30
    shared_phone: Annotated[float, "of those who live with a customer give that one's phone"] = 0.02


@dataclass(frozen=True)
class DemandPolicy(Policy):
    """How often people order and visit: rates differ between people by the distributions named here."""

    regular_orders: Annotated[tuple[float, float], "gamma (shape, scale) of usual orders a week"] = (
        1.5,
        0.036,
    )
    chocolate_orders: Annotated[tuple[float, float], "gamma (shape, scale) of chocolate orders a week"] = (
        1.5,
        0.015,
    )
    baby_orders: Annotated[tuple[float, float], "gamma (shape, scale) of young parents' orders a week"] = (
        3.0,
        0.045,
    )
    visits: Annotated[tuple[float, float], "beta of the chance of a visit without an order in a week"] = (
        1.2,
        18.8,
    )
    favourite: Annotated[float, "of regular orders are for the favourite category"] = 0.5
    highest_chance: Annotated[float, "no weekly chance of an order is higher"] = 0.9
    complaint_days: Annotated[int, "days for which a complaint drives a customer away"] = 60


@dataclass(frozen=True)
class CampaignPolicy(Policy):
    """The campaign with a control group."""

    treated: Annotated[float, "of a wave's audience are treated; the others are its control"] = 0.5
    waves: Annotated[int, "waves in all"] = 12
    wave_weeks: Annotated[int, "weeks that a wave's window is open"] = 2
    weeks_between: Annotated[int, "weeks from the start of a wave to that of the next"] = 4
    first_week: Annotated[int, "week of history in which the first wave starts"] = 50


@dataclass(frozen=True)
class PricePolicy(Policy):
    """Promotions, coupons and prices that rise; money in fen (hundredths of a yuan)."""

    promoted: Annotated[float, "of a category's weeks are weeks of promotion"] = 0.25
    discount: Annotated[float, "off the list price in a week of promotion"] = 0.20
    rise: Annotated[float, "what a list price is multiplied by once"] = 1.06
    rise_days: Annotated[
        tuple[int, int], "first day of history on which prices rise, and the day after the last"
    ] = (
        200,
        500,
    )
    coupon_fen: Annotated[int, "fen off an order by the welcome coupon"] = 1_000
    coupon_minimum_fen: Annotated[int, "fen that an order is worth at least to redeem it"] = 5_000


@dataclass(frozen=True)
class ShopPolicy(Policy):
    """Accounts, orders and returns of the shop."""

    second_account: Annotated[float, "of people have two accounts"] = 0.10
    third_account: Annotated[float, "of people have three"] = 0.02
    coupon_used: Annotated[float, "of accounts redeem their welcome coupon"] = 0.4
    channels: Annotated[tuple[float, ...], "shares of site, app and store among orders"] = (0.22, 0.33, 0.45)
    lines: Annotated[tuple[float, ...], "shares of orders with one, two and three lines"] = (0.60, 0.28, 0.12)
    companion: Annotated[float, "of further lines are of another category"] = 0.30
    late_returns: Annotated[float, "of orders come back after 2 to 14 days"] = 0.03


@dataclass(frozen=True)
class BrowsingPolicy(Policy):
    """What people do on the site and in the app."""

    second_device: Annotated[float, "of people have two devices"] = 0.30
    on_second_device: Annotated[float, "of their sessions are on the second"] = 0.25
    views: Annotated[
        tuple[float, ...], "shares of visits without an order that have one, two and three views"
    ] = (
        0.60,
        0.30,
        0.10,
    )
    signed_in: Annotated[float, "of sessions are signed in before they order"] = 0.60
    identifies: Annotated[
        float, "of accounts identify themselves to the site, with their first order there"
    ] = 0.60
    pages: Annotated[float, "of views are pages without a product"] = 0.40
    in_app: Annotated[float, "of visits without an order are in the app"] = 0.60
    step_seconds: Annotated[tuple[int, int], "shortest and longest time between two views"] = (15, 240)


@dataclass(frozen=True)
class CrmPolicy(Policy):
    """Contacts, leads, deals and tickets."""

    in_crm: Annotated[float, "of people are a contact"] = 0.75
    twice: Annotated[float, "of contacts' people are there twice"] = 0.12
    second_email: Annotated[float, "of second records that have the phone have the e-mail too"] = 0.5
    leads: Annotated[float, "of people were a lead before they joined"] = 0.40
    lead_channels: Annotated[tuple[float, ...], "shares of CHANNELS among leads"] = (
        0.28,
        0.24,
        0.18,
        0.18,
        0.12,
    )
    deals: Annotated[float, "of people's first records have a deal"] = 0.50
    lost: Annotated[float, "of closed deals are lost"] = 0.60
    deal_activities: Annotated[float, "activities a deal, mean"] = 5.0
    follow_ups: Annotated[float, "activities a contact beside deals, mean"] = 0.8
    questions: Annotated[float, "of orders bring a ticket with a question"] = 0.05
    rated: Annotated[float, "of solved tickets are rated"] = 0.6


@dataclass(frozen=True)
class TeamPolicy(Policy):
    """How many people work for the company, a team."""

    empty_note_writers: Annotated[int, "salespeople who leave notes empty"] = 2
    pasting_note_writers: Annotated[int, "salespeople who paste one text"] = 2
    active: Annotated[float, "of users are active"] = 0.95


@dataclass(frozen=True)
class AdvertisingPolicy(Policy):
    """What clicks cost on advertising platforms."""

    fen_a_click: Annotated[int, "fen that a click costs, mean"] = 130
    shown_a_click: Annotated[int, "times that an advertisement is shown for a click"] = 45


@dataclass(frozen=True)
class StockPolicy(Policy):
    """Which stock the shop writes down."""

    days: Annotated[int, "last days of history that stock is exported for"] = 90
    stores: Annotated[int, "shops that stock is exported for, one a city"] = 12
