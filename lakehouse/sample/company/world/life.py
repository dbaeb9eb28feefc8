"""How customers live week after week: they visit, buy, complain, and one week some stop for good.

An occasion is a moment at which somebody orders something (`occasions`); `shopping` makes an order of each. At the
end of a week everybody who is still a customer stops with the chance that the planted hazard gives for the drivers as
they are then. Nobody orders, visits or complains in or before the week they joined, or after the one they stopped in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company.policy import CampaignPolicy, DemandPolicy
from lakehouse.sample.company.random_arrays import (
    Flags,
    Floats,
    Ints,
    column_array,
    integers_below,
    random_stream,
)
from lakehouse.sample.company.units import DAY, DAYS_A_WEEK, WEEK
from lakehouse.sample.company.world.occasions import (
    Occasions,
    Traits,
    any_day,
    baby_occasions,
    chocolate_chance,
    chocolate_occasions,
    cyclic_occasions,
    regular_chance,
    regular_occasions,
    usual_moments,
)
from lakehouse.sample.company.world.waves import wave_of, wave_start

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

BEFORE_HISTORY: Final = -1  # the day of what was before history, which no export covers
_LONG_AGO: Final = -DAY * 10_000
NO_COMPLAINT: Final = -1


@dataclass
class _State:
    """What is known of every customer of the chunk by now; days and seconds since the beginning of day 0.

    `notes` collects the columns of each table, a dict a week.
    """

    last_visit: Ints
    last_complaint: Ints
    next_cycle: Ints
    stopped: Ints  # first day without the customer; a day after history's end: never
    orders: Ints
    promoted: Ints
    notes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def note(self, table: str, **columns: Any) -> None:
        """Note rows of a table."""
        self.notes.setdefault(table, []).append(columns)


def live(scenario: Scenario, persons: pa.Table, chunk: int, *, panel: bool) -> dict[str, pa.Table]:
    """Return `occasions` to order, `visits`, `stops`, `assignments` and `drivers` of a chunk's people.

    Rows refer to people by `row`, their row in `persons`. `complained_at` of an occasion is when its order was
    complained about (-1: never). `drivers` has a row for each person and week at risk:
    the drivers at its end, and whether the person stopped then; it is left out unless `panel` asks for it.
    """
    traits = Traits(*(column_array(persons, name) for name in Traits._fields))
    shape = (CampaignPolicy.waves, len(traits.city))
    treated = random_stream(scenario.seed, "assignment", chunk).random(shape) < CampaignPolicy.treated
    rng = random_stream(scenario.seed, "life", chunk)
    state = _first_state(scenario, traits, rng)
    for week in range(scenario.history.weeks):
        _live_week(scenario, traits, state, treated, week, rng)
    _note_assignments(traits, state, treated)
    if not panel:
        state.notes.pop("drivers", None)
    has_stopped = state.stopped < _never(scenario)
    state.note("stops", row=np.flatnonzero(has_stopped), day=state.stopped[has_stopped])
    return {name: _table(parts) for name, parts in state.notes.items()}


def _never(scenario: Scenario) -> int:
    """Return the day that stands for never."""
    return scenario.history.days + 1


def _first_state(scenario: Scenario, traits: Traits, rng: np.random.Generator) -> _State:
    """Return what is known before the first week."""
    count = len(traits.city)
    joined = np.maximum(traits.joined, BEFORE_HISTORY)
    until_cycle = DAYS_A_WEEK + integers_below(rng.random(count), np.maximum(traits.cycle, 1))
    return _State(
        last_visit=joined,
        last_complaint=np.full(count, _LONG_AGO, np.int64),
        next_cycle=joined + until_cycle,
        stopped=np.full(count, _never(scenario), np.int64),
        orders=np.zeros(count, np.int64),
        promoted=np.zeros(count, np.int64),
    )


def _table(parts: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _live_week(
    scenario: Scenario,
    traits: Traits,
    state: _State,
    treated: Flags,
    week: int,
    rng: np.random.Generator,
) -> None:
    """Live one week: who orders, visits and complains in it, and who stops at its end."""
    is_customer = (traits.joined < week * DAYS_A_WEEK) & (state.stopped == _never(scenario))
    regular_draws, baby_draws, chocolate_draws, visit_draws, stop_draws = rng.random((5, len(is_customer)))
    lift = _campaign_lift(scenario, traits, treated, week)
    buys_regular = is_customer & (regular_draws < regular_chance(scenario, traits, week) * lift)
    buys_baby = is_customer & traits.young_parent & (baby_draws < traits.baby_rate * lift)
    buys_chocolate = is_customer & (chocolate_draws < chocolate_chance(scenario, traits, week) * lift)
    kinds = (
        regular_occasions(traits, week, buys_regular, rng),
        baby_occasions(scenario, week, buys_baby, rng),
        chocolate_occasions(scenario, traits, week, buys_chocolate, rng),
        _coffee(scenario, traits, state, week, is_customer, rng),
    )
    occasions = Occasions(*(np.concatenate(columns) for columns in zip(*kinds, strict=True)))
    occasions = occasions.before(scenario.history.end)
    visitor, visited_at = _visits(scenario, week, is_customer & (visit_draws < traits.visit_rate), rng)
    state.note("visits", row=visitor, at=visited_at)
    _note_occasions(scenario, state, week, occasions, rng)
    np.maximum.at(state.last_visit, occasions.row, occasions.at // DAY)
    np.maximum.at(state.last_visit, visitor, visited_at // DAY)
    is_full_week = (week + 1) * DAYS_A_WEEK <= scenario.history.days
    if is_full_week:
        _stop(scenario, state, week, is_customer, stop_draws)


def _campaign_lift(scenario: Scenario, traits: Traits, treated: Flags, week: int) -> Floats:
    """Return what the campaign makes of everybody's chance to order in a week: 1 where it does nothing."""
    lift = np.ones(len(traits.city))
    wave = wave_of(week)
    if wave is not None:
        lift += scenario.plants.campaign_uplift * (treated[wave] & _audience(traits, wave))
    return lift


def _visits(scenario: Scenario, week: int, visits: Flags, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return who visits without an order, and when, as far as history goes."""
    visitor = np.flatnonzero(visits)
    visited_at = week * WEEK + usual_moments(rng, any_day(rng, len(visitor)))
    in_history = visited_at < scenario.history.end
    return visitor[in_history], visited_at[in_history]


def _coffee(
    scenario: Scenario,
    traits: Traits,
    state: _State,
    week: int,
    is_customer: Flags,
    rng: np.random.Generator,
) -> Occasions:
    """Return coffee for those whose cycle is due in the week, and note when it is due again."""
    is_due = (traits.cycle > 0) & is_customer & (state.next_cycle < (week + 1) * DAYS_A_WEEK)
    row = np.flatnonzero(is_due)
    occasions, state.next_cycle[row] = cyclic_occasions(
        scenario, week, row, state.next_cycle[row], traits.cycle[row], rng
    )
    return occasions


def _note_occasions(
    scenario: Scenario, state: _State, week: int, occasions: Occasions, rng: np.random.Generator
) -> None:
    """Note the week's occasions, and complaints: each after its order, before the week is over."""
    row, at = occasions.row, occasions.at
    promoted = scenario.catalogue.promoted[occasions.category, week]
    np.add.at(state.orders, row, 1)
    np.add.at(state.promoted, row, promoted.astype(np.int64))
    complains = rng.random(len(row)) < scenario.plants.complaint_rate
    week_ends = np.minimum((week + 1) * WEEK, scenario.history.end)
    seconds_left = np.maximum(week_ends - at - 1, 1)
    complained_at = at + 1 + integers_below(rng.random(len(row)), seconds_left)
    is_complaint = complains & (complained_at < scenario.history.end)
    state.note(
        "occasions",
        row=row,
        category=occasions.category,
        at=at,
        promoted=promoted,
        complained_at=np.where(is_complaint, complained_at, NO_COMPLAINT),
    )
    np.maximum.at(state.last_complaint, row[is_complaint], complained_at[is_complaint])


def _stop(scenario: Scenario, state: _State, week: int, is_customer: Flags, draws: Floats) -> None:
    """Let people stop at the week's end, with the hazard of their drivers."""
    week_end, row = (week + 1) * DAYS_A_WEEK, np.flatnonzero(is_customer)
    hazard = scenario.plants.hazard
    has_complaint = state.last_complaint[row] >= (week_end - DemandPolicy.complaint_days) * DAY
    days_since_visit = week_end - state.last_visit[row]
    discount_share = state.promoted[row] / np.maximum(state.orders[row], 1)
    logit = (
        hazard.intercept
        + hazard.complaint * has_complaint
        + hazard.day * days_since_visit
        + hazard.discount * discount_share
    )
    stops = draws[row] < 1 / (1 + np.exp(-logit))
    state.stopped[row[stops]] = week_end
    state.note(
        "drivers",
        row=row,
        day=np.full(len(row), week_end, np.int64),
        complaint=has_complaint,
        days_since_visit=days_since_visit,
        discount_share=discount_share,
        stopped=stops,
    )


def _audience(traits: Traits, wave: int) -> Flags:
    """Return who may be drawn for a wave: who joined before its window and has no fixed cycle.

    The company does not know who has stopped, so they are drawn too.
    """
    may_be_drawn: Flags = (traits.joined < wave_start(wave)) & (traits.cycle == 0)
    return may_be_drawn


def _note_assignments(traits: Traits, state: _State, treated: Flags) -> None:
    """Note who was drawn for the campaign and who for its control, wave by wave."""
    for wave in range(CampaignPolicy.waves):
        row = np.flatnonzero(_audience(traits, wave))
        state.note("assignments", row=row, wave=np.full(len(row), wave, np.int64), treated=treated[wave][row])
