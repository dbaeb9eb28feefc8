"""How the names of a file's parts are told: members of a zip, sheets of a workbook.

They are structure, as a header is, and stand in quarantine and profiles as they are. In logs one that is itself an
e-mail address, a phone or the like is masked.
"""

from __future__ import annotations

from lakehouse.sources.detect.columns import is_personal_value
from lakehouse.sources.detect.masking import mask


def told_name(name: str) -> str:
    """Return a name as it may be shown: as an expression where a terminal would obey what is in it."""
    return name if name.isprintable() else repr(name)


def logged_name(name: str) -> str:
    """Return a name as it may stand in a log."""
    words = name.replace("/", " ").split()
    return mask(name) if any(map(is_personal_value, [name, *words])) else told_name(name)
