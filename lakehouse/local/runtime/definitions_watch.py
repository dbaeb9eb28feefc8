"""Whether people's definitions changed since the last look: what a deployment announces on AWS, a laptop has to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.definition_files import FolderState, folder_state

if TYPE_CHECKING:
    from pathlib import Path


class DefinitionsWatch:
    """Compares a folder with what it was at the last look; the first look finds no change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: FolderState | None = None

    def has_changed(self) -> bool:
        """Return whether a file came, went or changed since this was asked last."""
        seen, self._seen = self._seen, folder_state(self._folder)
        return seen is not None and seen != self._seen
