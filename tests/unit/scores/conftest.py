"""Real customers: CDNOW's sample, as it was published."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from lakehouse.scores import features
from tests.support import score_tables

if TYPE_CHECKING:
    import pyarrow as pa

CALIBRATION_END = date(1997, 9, 30)


@pytest.fixture(scope="session")
def cdnow_sample() -> pa.Table:
    """The 2,357 customers of the published sample at the end of its 39 weeks, and what they did in the next 39."""
    with score_tables.tables(core__order_values=score_tables.cdnow(score_tables.SAMPLE)) as con:
        return score_tables.on(con, features.PANEL, CALIBRATION_END, date(1998, 6, 30))
