"""People are in the systems as designed."""

from __future__ import annotations

from typing import Any

import pytest


def test_shares_are_as_designed(sample: Any) -> None:
    """Coverage, overlap, names and duplicates lie near what the demo is meant to show."""
    people, counts = sample.truth["people"], sample.truth["counts"]
    hubspot = sum("hubspot" in p for p in people)
    assert hubspot / len(sample.truth["people"]) == pytest.approx(0.75, abs=0.03)
    assert counts["salesforce"]["contacts"] / len(sample.truth["people"]) == pytest.approx(0.35, abs=0.03)
    assert counts["salesforce"]["also_in_hubspot"] / counts["salesforce"]["contacts"] == pytest.approx(
        0.7, abs=0.04
    )
    twice = sum(len(p.get("hubspot", ())) > 1 for p in people)
    assert counts["hubspot"]["duplicates"] == twice == counts["hubspot"]["contacts"] - hubspot
    assert twice / hubspot == pytest.approx(0.02, abs=0.01)
    rows = sample.good("hubspot/contacts")
    assert sum(not r["Last Name"].isascii() for r in rows) / len(rows) == pytest.approx(0.4, abs=0.04)
