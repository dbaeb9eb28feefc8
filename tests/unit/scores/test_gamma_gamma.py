"""Gamma-Gamma against the published fit, and on values that other fitters stumble over."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.scores import gamma_gamma
from lakehouse.scores.clv import Buyers
from lakehouse.scores.gamma_gamma import GammaGamma


def spenders(model: GammaGamma, customers: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Purchases and mean values of customers who spend as the model says."""
    rng = np.random.default_rng(seed)
    purchases = rng.integers(1, 12, customers).astype(float)
    own = rng.gamma(model.q, 1 / model.gamma, customers)
    return purchases, rng.gamma(model.p * purchases, 1 / (own * purchases))


def test_the_published_fit(cdnow_sample):
    """Fader and Hardie 2013: 946 repeaters, p 6.25, q 3.74, gamma 15.44; asked to 2 %."""
    buyers = Buyers.of(cdnow_sample)
    found = gamma_gamma.fit(buyers.histories.frequency, buyers.repeat_value)
    assert found is not None
    assert found.customers == 946
    assert list(found.model) == pytest.approx([6.25, 3.74, 15.44], rel=0.002)


def test_parameters_of_simulated_customers_are_found_again():
    """The fit gives back what made the data."""
    model = GammaGamma(6.0, 4.0, 15.0)
    found = gamma_gamma.fit(*spenders(model, 200_000))
    assert found is not None
    assert list(found.model) == pytest.approx(list(model), rel=0.05)


@pytest.mark.parametrize("unit", [1e-3, 1e6, 1e12])
def test_the_unit_of_money_changes_nothing_else(unit):
    """Yen or dollars: p and q are the same, the rest is in the unit. Elsewhere sums of millions diverge."""
    purchases, values = spenders(GammaGamma(6.0, 4.0, 15.0), 2_000)
    one, other = gamma_gamma.fit(purchases, values), gamma_gamma.fit(purchases, values * unit)
    assert one is not None
    assert other is not None
    assert other.model[:2] == pytest.approx(one.model[:2], rel=1e-5)
    expected = gamma_gamma.expected_value(other.model, purchases, values * unit)
    assert expected == pytest.approx(
        gamma_gamma.expected_value(one.model, purchases, values) * unit, rel=1e-5
    )
    assert other.log_likelihood == pytest.approx(one.log_likelihood - 2_000 * np.log(unit), rel=1e-9)


def test_an_expectation_lies_between_the_customer_and_all():
    """And nearer to the customer the more was bought; without a usable mean it is that of all."""
    model = GammaGamma(6.25, 3.74, 15.44)
    few, many = gamma_gamma.expected_value(model, np.array([1.0, 100.0]), np.array([200.0, 200.0]))
    assert model.population_mean < few < many < 200
    for purchases, value in ((0.0, 50.0), (3.0, np.nan), (3.0, 0.0), (3.0, -20.0)):
        (unknown,) = gamma_gamma.expected_value(model, np.array([purchases]), np.array([value]))
        assert unknown == pytest.approx(model.population_mean)


@pytest.mark.parametrize(
    ("purchases", "values"),
    [
        pytest.param(np.full(29, 2.0), np.linspace(1, 9, 29), id="too few"),
        pytest.param(np.full(300, 2.0), np.full(300, 9.99), id="all spend the same"),
        pytest.param(np.full(300, 2.0), np.zeros(300), id="nothing is paid"),
        pytest.param(np.zeros(300), np.full(300, np.nan), id="nobody came again"),
        pytest.param(*spenders(GammaGamma(3.0, 0.8, 5.0), 5_000), id="no finite mean"),
    ],
)
def test_where_there_is_no_sound_maximum_there_is_no_model(purchases, values):
    """Never one whose expectations are below zero."""
    assert gamma_gamma.fit(purchases, values) is None


def test_the_gradient_is_that_of_the_likelihood():
    """Each slope is what the likelihood does when its parameter moves a little."""
    purchases, values = spenders(GammaGamma(6.0, 4.0, 15.0), 300)
    at = np.log([2.0, 3.0, 5.0])
    _, gradient = gamma_gamma._likelihood(at, purchases, values)
    for position in range(3):
        step = np.eye(3)[position] * 1e-6
        above, below = (gamma_gamma._likelihood(at + sign * step, purchases, values)[0] for sign in (1, -1))
        assert gradient[position] == pytest.approx((above - below) / 2e-6, rel=1e-4)
