"""The weeks of the campaign."""

from __future__ import annotations

from lakehouse.sample.company.policy import CampaignPolicy
from lakehouse.sample.company.world.waves import wave_of, wave_start


def test_waves_are_two_weeks_in_four() -> None:
    """Every wave has two weeks of its own, within history."""
    waves = [wave_of(week) for week in range(105)]
    assert [waves.count(wave) for wave in range(CampaignPolicy.waves)] == [2] * CampaignPolicy.waves
    assert all(waves[wave_start(wave) // 7] == wave for wave in range(CampaignPolicy.waves))
