"""The weights and thresholds of suggestions."""

from __future__ import annotations

import pytest

from lakehouse.sources.suggest import policy

POLICIES = [
    policy.SimilarityPolicy,
    policy.NormalFormPolicy,
    policy.SynonymPolicy,
    policy.NamePolicy,
    policy.ValuePolicy,
    policy.ConfidencePolicy,
    policy.EntityPolicy,
    policy.DraftPolicy,
]


@pytest.mark.parametrize(
    "knob", [knob for each in POLICIES for knob in each.knobs()], ids=lambda knob: knob.name
)
def test_weights_are_within_their_bounds(knob):
    """Scores and shares are 0 to 1, signals of values -1 to 1, counts whole numbers above 0."""
    if isinstance(knob.value, int):
        assert knob.value > 0
    else:
        least = -1 if "signal" in knob.meaning else 0
        assert least <= knob.value <= 1


def test_confidence_grows_with_the_score():
    """High is more than medium, and medium more than low; a look alone just makes medium."""
    confidence = policy.ConfidencePolicy
    assert confidence.low < confidence.medium - confidence.values_fit < confidence.medium < confidence.high
    assert confidence.vague_name < confidence.outright_name


def test_words_behind_a_name_say_more_against_it_than_words_in_front():
    """The noun stands last."""
    similarity = policy.SimilarityPolicy
    assert similarity.header_longer_aside < similarity.header_longer
    assert similarity.header_shorter_aside < similarity.header_shorter
    assert similarity.han_inside < similarity.han_ending
