"""A reason as the log writes it."""

from __future__ import annotations

from lakehouse.outbound.policies.reasons import Reason


def test_a_reason_names_the_row_that_says_so():
    """Where one does."""
    assert (Reason("consent").text, Reason("consent", "s:1").text) == ("consent", "consent:s:1")
