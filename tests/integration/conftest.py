"""A company in small: an empty lake with buckets, queues and a consent table around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import small_company

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def company(lake, monkeypatch, tmp_path) -> Iterator[small_company.SmallCompany]:
    """An empty lake with buckets, queues and a consent table around it."""
    with small_company.company(monkeypatch, tmp_path) as made:
        yield made
