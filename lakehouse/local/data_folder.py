"""A stack's data folder: which file is where, and what one start keeps for the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from lakehouse.errors import Terminal
from lakehouse.local.private_file import write_private

if TYPE_CHECKING:
    from pathlib import Path

_OWNER_ONLY: Final = 0o700  # the folder holds keys, and customers' data


@dataclass(frozen=True)
class FolderSettings:
    """What holds for a data folder from one start to the next."""

    as_of: str | None = None  # the day that time-relative definitions look back from; None is now
    time_zone: str | None = None  # whose days are the business's; None is what the template says
    buckets_made: bool = False  # and the object store's table bucket exists


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
        self.destinations = (
            root / "destinations.json"
        )  # people write it: credentials, by the destination's name
        self._settings = root / "settings.json"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.root, self.store, self.run, self.logs, self.scratch, self.definitions):
            folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)

    def destination_credentials(self) -> str:
        """Return the JSON of the credentials of destinations; `Terminal`, without quoting it, when it is none."""
        try:
            text = self.destinations.read_text("utf-8")
            is_object = isinstance(json.loads(text), dict)
        except FileNotFoundError:
            return "{}"
        except ValueError:
            is_object = False
        if not is_object:
            raise Terminal(
                f"{self.destinations} is no JSON object: write credentials by the destination's name"
            )
        return text

    def settings(self) -> FolderSettings:
        """Return what earlier starts kept; `Terminal` when the file cannot be read."""
        try:
            kept: dict[str, Any] = json.loads(self._settings.read_text("utf-8"))
            return FolderSettings(**kept)
        except FileNotFoundError:
            return FolderSettings()
        except (ValueError, TypeError) as error:
            raise Terminal(f"{self._settings} cannot be read ({error}): remove it, or restore it") from None

    def change_settings(self, **changes: Any) -> None:
        """Keep something for later starts: fields of `FolderSettings`."""
        write_private(self._settings, asdict(replace(self.settings(), **changes)))


def parse_as_of(as_of: str) -> str | None:
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


def parse_time_zone(zone: str) -> str:
    """Return a zone of the business to keep; `Terminal` for what is none of IANA's."""
    if zone not in available_timezones() or (zone != "UTC" and "/" not in zone):  # as `Settings` takes it
        raise Terminal(f"time zone {zone!r}: none of IANA's, such as Asia/Shanghai or UTC")
    return zone
