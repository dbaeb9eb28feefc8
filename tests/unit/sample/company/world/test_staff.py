"""Staff: salespeople first, then agents; a few salespeople have habits."""

from __future__ import annotations

import numpy as np

from lakehouse.sample.company.policy import TeamPolicy
from lakehouse.sample.company.random_arrays import column_array
from lakehouse.sample.company.world.scenario import Scenario
from lakehouse.sample.company.world.staff import AGENTS, CAREFUL, EMPTY, PASTING, SALES, make_staff


def test_a_team_has_salespeople_and_agents(scenario: Scenario) -> None:
    """Each with a number and an address of their own, also across teams."""
    teams = [make_staff(scenario, team).to_pydict() for team in (0, 1)]
    assert teams[0]["role"] == ["sales"] * SALES + ["agent"] * AGENTS
    ids = [user_id for team in teams for user_id in team["user_id"]]
    assert len(set(ids)) == len(ids)
    assert set(teams[0]["team"]) == {"销售组1", "客服组1"}


def test_only_some_salespeople_have_habits(scenario: Scenario) -> None:
    """As many leave notes empty or paste one text as planned; agents do neither."""
    for team in range(5):
        habits = column_array(make_staff(scenario, team), "habit")
        assert np.sum(habits == EMPTY) == TeamPolicy.empty_note_writers
        assert np.sum(habits == PASTING) == TeamPolicy.pasting_note_writers
        assert set(habits[SALES:]) == {CAREFUL}
