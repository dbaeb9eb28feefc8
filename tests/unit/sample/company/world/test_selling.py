"""Why deals are lost, and who writes no notes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

LOSSES = "SELECT channel, loss_reason, count(*) FROM crm_deals WHERE status = 'lost' GROUP BY ALL"
HABITS = """
    WITH noted AS (SELECT user_id, body, count(*) AS times FROM crm_activities GROUP BY ALL)
    SELECT user_id, coalesce(sum(times) FILTER (body IS NULL), 0) / sum(times),
           coalesce(max(times) FILTER (body IS NOT NULL), 0) / sum(times)
    FROM noted GROUP BY 1
"""


def test_deals_are_lost_for_the_reasons_of_their_channel(either: Any) -> None:
    """In each channel every reason has its planted share, within four errors."""
    lost = {(channel, reason): count for channel, reason, count in either.rows(LOSSES)}
    for channel, shares in either.truth["plants"]["loss_reasons"].items():
        deals = sum(count for (of, _), count in lost.items() if of == channel)
        assert deals > 50
        for reason, share in shares.items():
            error = 4 * math.sqrt(share * (1 - share) / deals)
            assert lost.get((channel, reason), 0) / deals == pytest.approx(share, abs=error)


def test_channels_differ_only_where_it_is_planted(company: Any, bare: Any) -> None:
    """A chi-squared test of channel against reason tells the companies apart (16 degrees of freedom)."""
    statistics = []
    for company_files in (company, bare):
        lost = {(channel, reason): count for channel, reason, count in company_files.rows(LOSSES)}
        table = np.array(
            [
                [lost.get((channel, reason), 0) for reason in shares]
                for channel, shares in company_files.truth["plants"]["loss_reasons"].items()
            ]
        )
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        statistics.append(((table - expected) ** 2 / expected).sum())
    planted, none = statistics
    assert planted > 100
    assert none < 39.25  # the 0.999 quantile


def test_notes_tell_who_leaves_them_empty_or_pastes_them(company: Any) -> None:
    """Whose notes are mostly empty, or mostly one text, are just those of whom the truth says so."""
    by_notes = {
        user: "empty" if empty > 0.5 else "pasting" if same > 0.5 else "careful"
        for user, empty, same in company.rows(HABITS)
    }
    by_truth = dict(
        company.rows(
            "SELECT user_id, habit FROM truth_habit_of_user SEMI JOIN crm_activities USING (user_id)"
        )
    )
    assert by_notes == by_truth
    assert sorted(by_truth.values()) == ["careful"] * 8 + ["empty"] * 2 + ["pasting"] * 2


def test_all_write_notes_where_it_is_not_planted(bare: Any) -> None:
    """Without the plant no salesperson's notes are empty, and hardly two are the same."""
    assert all(empty == 0 and same < 0.02 for _, empty, same in bare.rows(HABITS))


def test_stages_follow_each_other(either: Any) -> None:
    """A deal's stages are numbered in order of time, begin with its creation, and end as the deal did."""
    wrong = either.value(
        """WITH steps AS (
               SELECT d.deal_id, d.status, d.created_at, s.stage, s.step::INT AS step, s.entered_at,
                      row_number() OVER (PARTITION BY s.deal_id ORDER BY s.entered_at, step::INT) AS nth,
                      row_number() OVER (PARTITION BY s.deal_id ORDER BY step::INT DESC) AS back
               FROM crm_deals AS d LEFT JOIN crm_deal_stages AS s USING (deal_id)
           )
           SELECT count(*) FROM steps WHERE step IS DISTINCT FROM nth OR (step = 1 AND entered_at <> created_at)
           OR (back = 1 AND (stage IN ('won', 'lost')) <> (status <> 'open'))
           OR (back = 1 AND status <> 'open' AND stage <> status)"""
    )
    assert wrong == 0
