"""When the consent projection has to be written is decided without a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.privacy.consent import must_write
from lakehouse.privacy.policy import ProjectionPolicy
from lakehouse.privacy.projection_table import Projection

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def written(hours_ago: float, version: str = "1", as_of_hours_ago: float | None = None) -> Projection:
    """A projection that is valid for a day from when it was written."""
    at = NOW - timedelta(hours=hours_ago)
    as_of = at if as_of_hours_ago is None else NOW - timedelta(hours=as_of_hours_ago)
    return Projection(version, "g", (at + DAY).timestamp(), as_of.timestamp())


@pytest.mark.parametrize(
    ("current", "due"),
    [
        pytest.param(None, True, id="there is none"),
        pytest.param(written(1), False, id="the same, and fresh"),
        pytest.param(written(11.9), False, id="the same, not half of its life over"),
        pytest.param(written(12), True, id="the same, half of its life over"),
        pytest.param(written(30), True, id="the same, stale"),
        pytest.param(written(1, "0"), True, id="an older truth"),
        pytest.param(written(1, "2", as_of_hours_ago=-1), False, id="a newer truth"),
        pytest.param(written(30, "2", as_of_hours_ago=-1), False, id="a newer truth, stale"),
    ],
)
def test_a_truth_is_written_unless_it_or_a_newer_one_stands(current, due):
    """A slow writer never undoes a newer withdrawal; a fresh copy is not written again."""
    assert must_write(current, "1", NOW.timestamp(), NOW, DAY) is due


def test_the_share_after_which_it_is_refreshed_is_a_knob(monkeypatch):
    """Earlier refreshes cost writes; later ones leave less time to notice that they fail."""
    assert not must_write(written(6), "1", NOW.timestamp(), NOW, DAY)
    monkeypatch.setattr(ProjectionPolicy, "refresh_after_share", 0.25)
    assert must_write(written(6), "1", NOW.timestamp(), NOW, DAY)
