"""The books stage: copies what commits and objects say into `ops.*`."""

from __future__ import annotations

from lakehouse.books import copy
from lakehouse.errors import CommitConflict
from lakehouse.settings import Settings

_KINDS = (copy.QUARANTINED, copy.AUDITED, copy.DELIVERED, copy.LEFT_OUT)
_ATTEMPTS = 5


def keep_books(settings: Settings) -> dict[str, int]:
    """Copy what is new and return how many rows each table gained.

    There is one writer, as the queue sees to it. Should there be two, the slower looks again here: a message that
    failed would hold up its FIFO group for the whole visibility time-out.
    """
    copied = copy.Copied()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            copy.run(settings, _KINDS, copied)
            break
        except CommitConflict:
            if attempt == _ATTEMPTS:
                raise
    return dict(copied.rows)
