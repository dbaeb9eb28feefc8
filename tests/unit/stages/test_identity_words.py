"""A word names two records; a record is one person with itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.stages.identity_words import RecordName, Said, say


def test_two_records_are_named():
    """The same one, from another source, is the same one."""
    one, other = (RecordName("crm_id", "42", source) for source in ("crm:contacts", "crm:leads"))
    with pytest.raises(Terminal, match="name two"):
        say(Settings(), (one, other), "one", Said("eve", ""), lambda: datetime.now(UTC))
