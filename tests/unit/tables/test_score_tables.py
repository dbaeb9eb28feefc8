"""Contracts of scores: bilingual, free of personal data, each row with where it is from."""

from __future__ import annotations

import pytest

from lakehouse.stages import score
from lakehouse.tables import score_tables


@pytest.mark.parametrize("contract", score_tables.ALL, ids=lambda each: each.name)
def test_every_table_and_column_says_what_it_is_in_both_languages(contract):
    """And none holds personal data."""
    assert contract.doc
    assert contract.zh
    assert all(column.doc and column.zh for column in contract.columns)
    assert not any(column.pii for column in contract.columns)


@pytest.mark.parametrize("contract", score_tables.SCORES, ids=lambda each: each.name)
def test_every_score_says_by_what_from_what_and_when(contract):
    """The last two move only with the rest of the row; the first is a change itself."""
    names = [column.name for column in contract.columns]
    assert {"as_of", "model_version", "inputs", "computed_at"} <= set(names)
    assert [column.name for column in score_tables.payload(contract)] == names[:-2]


def test_what_scores_read_is_named():
    """So that no model that they are computed from reads one of them."""
    assert {name for each in score.SCORES for name in each.inputs} == set(score_tables.COMPUTED_FROM)
