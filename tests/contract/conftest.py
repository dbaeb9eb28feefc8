"""What runs over every catalog alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lakehouse.tables.catalog import open_catalog
from tests.support.lakes import Lake, a_contract, rest_settings

if TYPE_CHECKING:
    from lakehouse.settings import Settings


@pytest.fixture(params=["sql", "rest"])
def any_lake(request: pytest.FixtureRequest, lake: Settings) -> Lake:
    settings = lake if request.param == "sql" else rest_settings(request.getfixturevalue("store"))
    return Lake(settings, open_catalog(settings), a_contract())


@pytest.fixture
def quick_retries(monkeypatch):
    """Waiting between attempts proves nothing."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
