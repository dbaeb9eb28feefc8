"""Every number of the company says what it means; a company without plants has none of their effects."""

from __future__ import annotations

import pytest

from lakehouse.policy import Policy
from lakehouse.sample.company import policy
from lakehouse.sample.company.policy import CHANNELS, LOSS_REASONS, FaultRates, Plants

POLICIES = [value for value in vars(policy).values() if isinstance(value, type) and issubclass(value, Policy)]


@pytest.mark.parametrize("subject", [policy_class for policy_class in POLICIES if policy_class is not Policy])
def test_every_number_says_what_it_means(subject: type[Policy]) -> None:
    """`knobs` refuses a number without a meaning."""
    assert all(knob.meaning for knob in subject.knobs())


def test_loss_reasons_are_shares_of_each_channel() -> None:
    """A row a channel, a column a reason, and rows add up to all deals."""
    for plants in (Plants(), Plants.absent()):
        assert len(plants.loss_reasons) == len(CHANNELS)
        assert all(len(shares) == len(LOSS_REASONS) for shares in plants.loss_reasons)
        assert all(sum(shares) == pytest.approx(1) for shares in plants.loss_reasons)


def test_the_parameters_are_told_with_their_names() -> None:
    """Loss reasons by channel and reason; hazard and faults as objects of their own."""
    parameters = Plants().as_json()
    assert parameters["loss_reasons"]["douyin"]["price"] == 0.15
    assert parameters["hazard"] == {"intercept": -5.6, "complaint": 1.4, "day": 0.010, "discount": 1.0}
    assert parameters["dirt"]["dashed_phone"] == FaultRates.dashed_phone


def test_an_absent_plant_has_no_effect() -> None:
    """Shares and additions are 0, factors 1."""
    absent = Plants.absent()
    assert (absent.every, absent.friday_peak, absent.campaign_uplift) == (0, 0, 0)
    assert absent.promoted_factor == absent.full_price_factor == 1
    assert absent.hazard.complaint == absent.hazard.day == absent.hazard.discount == 0
    assert set(absent.as_json()["dirt"].values()) == {0}
