"""Tickets are the complaints of people's lives and some questions."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.sample.company.policy import CrmPolicy
from lakehouse.sample.company.world.chunk import Chunk
from lakehouse.sample.company.world.staff import SALES


def test_every_complaint_is_a_ticket(chunk: Chunk) -> None:
    """One for each order that was complained about, at that moment."""
    is_complaint = chunk.array("tickets", "complaint")
    orders = np.flatnonzero(chunk.array("orders", "complained_at") >= 0)
    assert np.array_equal(chunk.array("tickets", "order")[is_complaint], orders)
    created = chunk.array("tickets", "created_at")[is_complaint] - chunk.scenario.history.zero
    assert np.array_equal(created, chunk.array("orders", "complained_at")[orders])


def test_questions_are_as_many_as_planned(chunk: Chunk) -> None:
    """A share of all orders."""
    questions = (~chunk.array("tickets", "complaint")).sum()
    assert questions / len(chunk.tables["orders"]) == pytest.approx(CrmPolicy.questions, abs=0.005)


def test_only_solved_tickets_are_rated(chunk: Chunk) -> None:
    """From 1 to 5, and complaints worse than questions; agents answer, not salespeople."""
    ratings, is_open = chunk.array("tickets", "satisfaction"), chunk.array("tickets", "open")
    assert set(ratings[is_open]) <= {0}
    assert set(ratings[ratings > 0]) == {1, 2, 3, 4, 5}
    is_complaint, is_rated = chunk.array("tickets", "complaint"), ratings > 0
    assert ratings[is_rated & is_complaint].mean() < ratings[is_rated & ~is_complaint].mean() - 1
    assert (chunk.array("tickets", "agent") >= SALES).all()
    assert (chunk.array("tickets", "resolved_at") > chunk.array("tickets", "created_at")).all()
