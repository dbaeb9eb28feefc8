"""The campaign with a control group: waves of two weeks, for each of which the audience is drawn anew."""

from __future__ import annotations

from lakehouse.sample.company.policy import CampaignPolicy
from lakehouse.sample.company.units import DAYS_A_WEEK


def wave_of(week: int) -> int | None:
    """Return the wave whose window a week of history belongs to."""
    wave, week_of_wave = divmod(week - CampaignPolicy.first_week, CampaignPolicy.weeks_between)
    is_open = week_of_wave < CampaignPolicy.wave_weeks
    return wave if is_open and 0 <= wave < CampaignPolicy.waves else None


def wave_start(wave: int) -> int:
    """Return the first day of a wave's window, a Monday."""
    return (CampaignPolicy.first_week + CampaignPolicy.weeks_between * wave) * DAYS_A_WEEK


def wave_end(wave: int) -> int:
    """Return the day after a wave's window."""
    return wave_start(wave) + CampaignPolicy.wave_weeks * DAYS_A_WEEK
