"""Asking fails closed: see tests/integration/privacy/test_consent.py for what the table answers."""

from __future__ import annotations

from datetime import UTC, datetime

from lakehouse import aws
from lakehouse.errors import Transient
from lakehouse.privacy import consent
from lakehouse.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_without_a_key_nobody_is_known_to_allow_anything(monkeypatch):
    """The secret store is away: that is told as the projection, and the table is not asked."""

    def away(_):
        raise Transient("no answer")

    monkeypatch.setattr(consent, "address_hasher", away)
    monkeypatch.setattr(aws, "dynamodb", lambda: None)
    answer = consent.grants(Settings(), [("ann", "ann@x.org")], "marketing", "email", NOW)
    assert answer == consent.Grants(unanswered=frozenset({("ann", "ann@x.org")}))
