"""A stack's data folder: where what is, and what one start leaves for the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Terminal
from lakehouse.local.services.processes import write_private

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE = 0o700  # it holds keys, and customers' data


@dataclass(frozen=True)
class Remembered:
    """What holds for a data folder from one start to the next."""

    as_of: str | None = None  # the day that time-relative definitions look back from; None is now
    buckets_made: bool = False  # and the object store found good


class DataFolder:
    """`root/{store,run,logs,scratch,definitions}` and a few files; made as needed, for its owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / "store"  # what SeaweedFS keeps
        self.run = root / "run"  # the children's working folder, and what can be made again
        self.logs = root / "logs"
        self.scratch = root / "scratch"  # what functions write while they run
        self.definitions = root / "definitions"  # people's own, unless LAKEHOUSE_DEFINITIONS names others
        self.children = root / "children.json"
        self.schedules = root / "schedules.json"
        self.keys = root / "secrets.json"
        self.hubspot = root / "hubspot.sqlite"
        self._settings = root / "settings.json"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.root, self.store, self.run, self.logs, self.scratch, self.definitions):
            folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    def remembered(self) -> Remembered:
        """Return what earlier starts left."""
        try:
            kept: dict[str, Any] = json.loads(self._settings.read_text("utf-8"))
            return Remembered(**kept)
        except FileNotFoundError:
            return Remembered()
        except (ValueError, TypeError) as error:
            raise Terminal(f"{self._settings} cannot be read ({error}): remove it, or restore it") from None

    def remember(self, **changes: Any) -> None:
        """Leave something for later starts."""
        write_private(self._settings, asdict(replace(self.remembered(), **changes)))


def as_day(as_of: str) -> str | None:
    """Return an `as_of` to keep: an ISO 8601 day or moment as it is, None for "now"."""
    if as_of == "now":
        return None
    try:
        datetime.fromisoformat(as_of)
    except ValueError:
        raise Terminal(
            f"as of {as_of!r}: neither a day like 1998-06-30, nor an ISO 8601 time, nor now"
        ) from None
    return as_of
