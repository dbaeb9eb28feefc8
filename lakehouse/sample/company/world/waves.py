"""The campaign with a control group: waves of two weeks, for each of which the audience is drawn anew."""

from __future__ import annotations

WAVES, WAVE_WEEKS, BETWEEN_WAVES, FIRST_WAVE_WEEK = 12, 2, 4, 50


def wave_of(week: int) -> int | None:
    """Return the wave whose window a week of history belongs to."""
    wave, into = divmod(week - FIRST_WAVE_WEEK, BETWEEN_WAVES)
    return wave if 0 <= wave < WAVES and into < WAVE_WEEKS else None


def wave_start(wave: int) -> int:
    """Return the first day of a wave's window, a Monday."""
    return (FIRST_WAVE_WEEK + BETWEEN_WAVES * wave) * 7
