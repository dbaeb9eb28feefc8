"""The end of Salesforce's ids of 18 characters, which both samples write: it keeps ids distinct where case is lost."""

from __future__ import annotations

import string
from typing import Final

_LETTERS = string.ascii_uppercase + "012345"  # one for each combination of capitals among five characters
_GROUP: Final = 5
SHORT_ID: Final = 15  # characters of an id without its suffix


def case_suffix(short_id: str) -> str:
    """Return the three characters that follow an id of 15: one for each five, saying which of them are capitals."""
    suffix = ""
    for start in range(0, SHORT_ID, _GROUP):
        capitals = [character.isupper() for character in short_id[start : start + _GROUP]]
        suffix += _LETTERS[sum(is_capital << bit for bit, is_capital in enumerate(capitals))]
    return suffix
