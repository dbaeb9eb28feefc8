"""The books stage: copies what commits and objects say into `ops.*`."""

from __future__ import annotations

from lakehouse.books import copy
from lakehouse.settings import Settings


def keep_books(settings: Settings) -> dict[str, int]:
    """Copy what is new and return how many rows each table gained."""
    return copy.run(settings, (copy.QUARANTINED, copy.AUDITED, copy.DELIVERED, copy.LEFT_OUT)).rows
