"""Names of time zones, on a machine that has a list of them and on one that has none."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError


def is_zone(name: str) -> bool:
    """Return whether a name may be a time zone's.

    Lambda's image has no list of zones, so any name may be one there; DuckDB, which reads the times, has its own list.
    """
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return name == "UTC" or not any(Path(folder).is_dir() for folder in TZPATH)
    except (ValueError, OSError):  # a path, a folder of zones
        return False
    return True
