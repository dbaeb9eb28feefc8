"""Who of a segment is its control group: a stable random share, drawn by a hash of segment and customer. Pure.

The draw is the same in every run and engine, whoever else is in the segment. A larger share keeps whom a smaller one
had; the draws of two segments do not depend on each other.
"""

from __future__ import annotations

import hashlib
from typing import Final

from lakehouse.engine.escape import literal

_DIGITS: Final = 12  # hexadecimal, of the hash: shares are cut to one in 2**48, which a float holds exactly


def draw(segment: str, customer_id: str) -> str:
    """Return a customer's draw in a segment: a number of 12 hexadecimal digits, which sort as the number does."""
    return hashlib.sha256(f"{segment}:{customer_id}".encode()).hexdigest()[:_DIGITS]


def limit_of(share: float) -> str:
    """Return the number, in as many digits, below which draws are in the control group; of share 0 none is."""
    return f"{int(share * 16**_DIGITS):0{_DIGITS}x}"


def in_control(segment: str, customer_id: str, share: float) -> bool:
    """Return whether a customer is in the control group of a segment."""
    return draw(segment, customer_id) < limit_of(share)


def in_control_sql(segment: str, customer: str, share: float) -> str:
    """Return the SQL of `in_control`, for a segment's name and an expression of the customer's id."""
    if int(share * 16**_DIGITS) == 0:
        return "false"  # of share 0 nobody is: no hash says so
    text = f"{literal(segment + ':')} || {customer}"
    return f"substr(sha256({text}), 1, {_DIGITS}) < {literal(limit_of(share))}"
