"""What has to be written of a truth is decided without a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.privacy.policy import ProjectionPolicy
from lakehouse.privacy.projection import plan_projection, without_own
from lakehouse.privacy.projection_table import Projection
from tests.support.truths import Told

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FAR = (NOW + 20 * DAY).timestamp()


def written(hours_ago: float, version: str = "1", as_of_hours_ago: float | None = None, **more) -> Projection:
    """A projection that is valid for a day from when it was written."""
    at = NOW - timedelta(hours=hours_ago)
    as_of = at if as_of_hours_ago is None else NOW - timedelta(hours=as_of_hours_ago)
    header = Projection(
        version, "e", 4, (at + DAY).timestamp(), as_of.timestamp(), FAR, "key", at.timestamp()
    )
    return replace(header, **more)


@pytest.mark.parametrize(
    ("current", "plan"),
    [
        pytest.param(None, "whole", id="there is none"),
        pytest.param(written(1, key="another"), "whole", id="hashed with another key"),
        pytest.param(written(1, epoch_ends=NOW.timestamp() + 3600), "whole", id="its items end before it would"),
        pytest.param(written(1), "nothing", id="the same, and fresh"),
        pytest.param(written(11.9), "nothing", id="the same, not half of its life over"),
        pytest.param(written(12), "header", id="the same, half of its life over"),
        pytest.param(written(30), "header", id="the same, stale"),
        pytest.param(written(-1, as_of_hours_ago=1), "header", id="the same, written before the clock was set back"),
        pytest.param(written(1, pending=("2",)), "differences", id="the same, and somebody began a newer one"),
        pytest.param(written(1, "0"), "differences", id="an older truth"),
        pytest.param(written(1, "2", as_of_hours_ago=-1), "nothing", id="a newer truth"),
        pytest.param(written(30, "2", as_of_hours_ago=-1), "nothing", id="a newer truth, stale"),
    ],
)  # fmt: skip
def test_a_truth_is_written_unless_it_or_a_newer_one_stands(current, plan):
    """A slow writer never undoes a newer withdrawal; a fresh copy is not written again."""
    assert plan_projection(current, Told({}, "1", NOW), "key", NOW, DAY) == plan


def test_the_share_after_which_it_is_refreshed_is_a_knob(monkeypatch):
    """Earlier refreshes cost writes; later ones leave less time to notice that they fail."""
    truth = Told({}, "1", NOW)
    assert plan_projection(written(6), truth, "key", NOW, DAY) == "nothing"
    monkeypatch.setattr(ProjectionPolicy, "refresh_after_share", 0.25)
    assert plan_projection(written(6), truth, "key", NOW, DAY) == "header"


def test_what_a_writer_noted_itself_is_no_reason_to_write():
    """It notes the version that it is about to write before it looks again."""
    assert without_own(written(1, pending=("0", "1"))) == written(1, pending=("0",))
    assert without_own(None) is None
