"""The canonical columns that a column may be, with their scores."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.suggest.candidates import Signals, find_candidates, name_score_by_look
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.policy import ConfidencePolicy


def column(header, *values):
    """Return a column of these values, each in one row."""
    return FileColumn(header, describe(header, dict.fromkeys(values, 1)), 30, 30, len(values))


EMAILS = tuple(f"ann{number}@example.com" for number in range(30))


@pytest.mark.parametrize(
    ("name", "values", "score"),
    [(0.8, 0.0, 0.8), (0.8, 1.0, 0.86), (0.8, -1.0, 0.4), (0.8, -0.5, 0.6), (1.0, 1.0, 1.06)],
)
def test_the_score_of_signals(name, values, score):
    """Values that fit add a little; those that contradict take up to half."""
    assert Signals(name, values).score == pytest.approx(score)


def test_signals_have_names():
    """What they say can be asked for."""
    assert Signals(0.8, 1.0).values_fit
    assert Signals(0.8, -0.1).values_contradict
    assert not Signals(0.8, 0.0).values_fit
    assert not Signals(0.8, 0.0).values_contradict
    assert Signals(name_score_by_look(), 1.0, look=True).only_look
    assert not Signals(0.8, 1.0, look=True).only_look


def test_the_best_candidate_stands_first():
    """By score, and each with the column it is of."""
    candidates = find_candidates("contacts", [column("Notes"), column("E-mail", *EMAILS)])
    scores = [candidate.score for candidate in candidates[1]]
    assert candidates[1][0].target.column == "email"
    assert candidates[1][0].column_index == 1
    assert scores == sorted(scores, reverse=True)
    assert min(candidate.name for candidate in candidates[1]) >= ConfidencePolicy.low


@pytest.mark.parametrize(
    ("entity", "header", "said"),
    [
        ("contacts", "col 7", True),
        ("leads", "col 7", True),
        ("orders", "col 7", False),
        ("contacts", "manager's col 7", False),
    ],
)
def test_values_alone_say_what_a_column_is(entity, header, said):
    """E-mails below a header that says nothing, in a file of people, unless they are somebody else's."""
    candidates = find_candidates(entity, [column(header, *EMAILS)])
    columns = {candidate.target.column for candidate in candidates.get(0, [])}
    assert ("email" in columns) is said
    if said:
        assert candidates[0][0].score == pytest.approx(ConfidencePolicy.medium)
