"""What stands before an identifier when it is hashed: SQL and Python alike, so that both come to the same hash."""

from __future__ import annotations

from typing import Final

SUBJECT_DIGITS: Final = 32  # hexadecimal, of a subject's hash
ADDRESS_TYPES: Final = ("address", "email", "phone")  # hashed alike, whichever of them it is said to be
OF_ADDRESSES: Final = (
    "consent address"  # so that none equals the hash of a column's value, made with the same key
)
OF_IDENTIFIERS: Final = "consent identifier"
