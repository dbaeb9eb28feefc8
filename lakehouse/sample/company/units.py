"""What time is counted in: seconds, from the beginning of 1970 or of history, in local time."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
DAYS_A_WEEK: Final = 7
WEEK: Final = DAYS_A_WEEK * DAY
MILLISECONDS: Final = 1_000  # of a second
