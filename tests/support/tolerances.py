"""How far an estimate may be from what was planted."""

from __future__ import annotations

import math


def four_errors(share: float, count: int) -> float:
    """Return four standard errors of a share that is estimated from so many draws."""
    return 4 * math.sqrt(share * (1 - share) / count)
