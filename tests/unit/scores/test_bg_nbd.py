"""BG/NBD against the published table, against plain integration, and on data that other fitters stumble over."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate
from scipy.special import betaln, gammaln

from lakehouse.scores import bg_nbd
from lakehouse.scores.bg_nbd import BgNbd, Histories
from lakehouse.scores.clv import Buyers

PUBLISHED = BgNbd(0.243, 4.414, 0.793, 2.426)


def simulated(model: BgNbd, customers: int, weeks: float, seed: int = 7) -> Histories:
    """Customers who behave as the model says, watched for up to `weeks`."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(model.r, 1 / model.alpha, customers), rng.beta(model.a, model.b, customers)
    age = np.ceil(rng.uniform(1, weeks * 7, customers)) / 7
    x, t_x, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    buying = np.arange(customers)
    while len(buying):
        now[buying] += rng.exponential(1 / rate[buying])
        buying = buying[now[buying] < age[buying]]
        x[buying] += 1
        t_x[buying] = now[buying]
        buying = buying[rng.random(len(buying)) > leaves[buying]]
    return Histories.of(x, t_x, age)


def test_the_published_fit(cdnow_sample):
    """Fader, Hardie and Lee 2005, table 2: parameters to three digits, log-likelihood to a tenth."""
    found = bg_nbd.fit(Buyers.of(cdnow_sample).histories)
    assert np.round(found.model, 3).tolist() == [0.243, 4.414, 0.793, 2.426]
    assert found.log_likelihood == pytest.approx(-9582.4, abs=0.1)
    assert not found.penalised


def test_the_published_expectation(cdnow_sample):
    """The same paper: E[Y(39) | x=2, t_x=30.43, T=38.86] = 1.226."""
    model = bg_nbd.fit(Buyers.of(cdnow_sample).histories).model
    (expected,) = bg_nbd.expected_purchases(model, Histories.of([2], [30.43], [38.86]), [39])
    assert expected[0] == pytest.approx(1.226, abs=5e-4)


def test_parameters_of_simulated_customers_are_found_again():
    """The fit gives back what made the data."""
    model = BgNbd(0.6, 5.0, 0.5, 1.5)
    found = bg_nbd.fit(simulated(model, 20_000, 150))
    assert list(found.model) == pytest.approx(list(model), rel=0.12)


def integrated(model: BgNbd, x: int, t_x: float, age: float, weeks: float) -> tuple[float, float]:
    """P(alive) and the expectation, by integrating over rate and drop-out with nothing but the model's definition."""
    r, alpha, a, b = model

    def prior(rate: float, leave: float) -> float:
        gamma = (r - 1) * np.log(rate) - alpha * rate + r * np.log(alpha) - gammaln(r)
        beta = (a - 1) * np.log(leave) + (b - 1) * np.log1p(-leave) - betaln(a, b)
        return gamma + beta + x * np.log(rate)

    def stays(rate: float, leave: float) -> float:
        return np.exp(prior(rate, leave) + x * np.log1p(-leave) - rate * age)

    def left(rate: float, leave: float) -> float:
        return (
            np.exp(prior(rate, leave) + np.log(leave) + (x - 1) * np.log1p(-leave) - rate * t_x) if x else 0.0
        )

    def bought(rate: float, leave: float) -> float:
        return stays(rate, leave) * -np.expm1(-rate * leave * weeks) / leave

    top = (r + x + 40 * np.sqrt(r + x)) / (alpha + t_x)
    of = lambda what: integrate.dblquad(lambda p, q: what(q, p), 0, top, 0, 1, epsrel=1e-7)[0]  # noqa: E731
    total = of(stays) + of(left)
    return of(stays) / total, of(bought) / total


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
@pytest.mark.parametrize(
    ("model", "x", "t_x", "age"),
    [
        (BgNbd(1.5, 4.0, 1.4, 2.5), 2, 20.0, 38.0),
        (BgNbd(1.5, 4.0, 1.2, 2.5), 0, 0.0, 30.0),
        (BgNbd(2.0, 3.0, 3.0, 2.0), 6, 30.0, 31.0),
    ],
)
def test_formulas_say_what_the_definition_says(model, x, t_x, age):
    """Alive and expected purchases are what integrating the model's own assumptions gives."""
    alive, expected = integrated(model, x, t_x, age, 26.0)
    history = Histories.of([x], [t_x], [age])
    assert bg_nbd.alive(model, history)[0] == pytest.approx(alive, rel=1e-4)
    assert bg_nbd.expected_purchases(model, history, [26.0])[0][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("weeks", [30 / 7, 365 / 7])
@pytest.mark.parametrize(
    "model",
    [
        PUBLISHED,
        BgNbd(0.1, 50.0, 0.3, 0.4),  # a + b below 1: NaN for those who bought once, elsewhere
        BgNbd(0.1, 50.0, 0.4, 0.6),  # a + b = 1: the pole of 2F1 for them
        BgNbd(0.5, 2.0, 1.0, 2.0),  # a = 1: nothing divided by nothing
        BgNbd(60.0, 400.0, 5.0, 900.0),
    ],
)
def test_every_history_has_an_expectation(model, weeks):
    """None is NaN or below zero, whatever was bought: nothing, today, or on every day of three years."""
    history = Histories.of([0, 0, 1, 500, 1095, 1095], [0, 0, 1, 71, 156, 1], [0, 600, 1, 71.6, 156.4, 156.4])
    (expected,) = bg_nbd.expected_purchases(model, history, [weeks])
    alive = bg_nbd.alive(model, history)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert ((alive >= 0) & (alive <= 1)).all()
    assert alive[4] > 0.5 > alive[5]


@pytest.mark.parametrize("a", [1 - 1e-4, 1 + 1e-4, 1.0])
def test_nothing_jumps_where_a_is_one(a):
    """The formula divides by a - 1; what it means there is the limit from both sides."""
    history = Histories.of([0, 3], [0, 20], [30, 30])
    (near,) = bg_nbd.expected_purchases(BgNbd(0.5, 3.0, a, 2.0), history, [12.0])
    (far,) = bg_nbd.expected_purchases(BgNbd(0.5, 3.0, 1.001, 2.0), history, [12.0])
    assert near == pytest.approx(far, rel=2e-3)


@pytest.mark.parametrize("total", [1 - 1e-4, 1 + 1e-4, 1.0])
def test_nothing_jumps_at_the_pole(total):
    """Where a + b is 1, 2F1 has a pole for who bought once, and a factor before it is 0."""
    history = Histories.of([0], [0], [30])
    (near,) = bg_nbd.expected_purchases(BgNbd(0.5, 3.0, 0.3, total - 0.3), history, [12.0])
    (far,) = bg_nbd.expected_purchases(BgNbd(0.5, 3.0, 0.3, 0.7 + 1e-3), history, [12.0])
    assert near == pytest.approx(far, rel=2e-3)


def test_more_time_brings_more_and_a_year_no_more_than_its_rate():
    """Expectations rise with the horizon, and start at nothing."""
    history = Histories.of([0, 1, 4], [0, 10, 30], [38, 38, 38])
    none, month, year = bg_nbd.expected_purchases(PUBLISHED, history, [0.0, 30 / 7, 365 / 7])
    assert none == pytest.approx([0, 0, 0], abs=1e-12)
    assert (month > 0).all()
    assert (year > month).all()


NOBODY_AGAIN = Histories.of(np.zeros(200), np.zeros(200), np.linspace(1, 50, 200))
ALIKE = Histories.of(np.full(200, 5), np.full(200, 20.0), np.full(200, 21.0))
ALWAYS = Histories.of(np.full(200, 52), np.full(200, 52.0), np.full(200, 52.0))
TODAY = Histories.of(np.zeros(200), np.zeros(200), np.zeros(200))
DAILY = simulated(BgNbd(3.0, 1.0, 0.02, 3.0), 2_000, 70)


@pytest.mark.parametrize(
    "histories", [NOBODY_AGAIN, ALIKE, ALWAYS, TODAY], ids=["once", "alike", "always", "today"]
)
def test_where_the_likelihood_has_no_maximum_a_penalty_makes_one(histories):
    """It is said, and all that follows is finite."""
    found = bg_nbd.fit(histories)
    assert found.penalised
    assert np.isfinite(found.model).all()
    (expected,) = bg_nbd.expected_purchases(found.model, histories, [13.0])
    assert np.isfinite(expected).all()


def test_nobody_who_never_came_again_is_expected_to():
    """With 200 of 200 who never did, hardly anybody will."""
    (expected,) = bg_nbd.expected_purchases(bg_nbd.fit(NOBODY_AGAIN).model, NOBODY_AGAIN, [4.0])
    assert expected.max() < 0.1


def test_customers_who_buy_almost_daily():
    """The large counts on which other fitters diverge."""
    found = bg_nbd.fit(DAILY)
    (expected,) = bg_nbd.expected_purchases(found.model, DAILY, [4.0])
    assert DAILY.frequency.max() > 300
    assert np.isfinite(expected).all()
    assert expected.mean() > 1


def test_equal_customers_count_as_often_as_there_are():
    """The likelihood of distinct rows with weights is that of all."""
    histories = simulated(PUBLISHED, 3_000, 20)
    distinct = histories.distinct()
    assert len(distinct) < len(histories)
    assert distinct.customers == len(histories)
    assert bg_nbd.log_likelihood(PUBLISHED, distinct) == pytest.approx(
        bg_nbd.log_likelihood(PUBLISHED, histories), rel=1e-12
    )


def test_the_gradient_is_that_of_the_likelihood():
    """Each slope is what the likelihood does when its parameter moves a little."""
    histories = simulated(PUBLISHED, 500, 40)
    counts = bg_nbd._Counts(histories.frequency)
    at = np.log(BgNbd(0.5, 3.0, 0.7, 1.5))
    _, gradient = bg_nbd._likelihood(at, histories, counts)
    for position in range(4):
        step = np.eye(4)[position] * 1e-6
        above, below = (bg_nbd._likelihood(at + sign * step, histories, counts)[0] for sign in (1, -1))
        assert gradient[position] == pytest.approx((above - below) / 2e-6, rel=1e-4)


@pytest.mark.parametrize(
    ("x", "t_x", "age"),
    [([-1], [0], [1]), ([1], [2], [1]), ([0], [1], [2]), ([1], [-1], [2]), ([1], [1], [np.nan])],
)
def test_what_is_no_history_is_refused(x, t_x, age):
    """The row is named."""
    with pytest.raises(ValueError, match="row 0 is no history"):
        Histories.of(x, t_x, age)


def test_nobody_is_no_model():
    """Without customers there is nothing to fit."""
    with pytest.raises(ValueError, match="no customer"):
        bg_nbd.fit(Histories.of([], [], []))
