"""Lines of JSON on the scratch disk, cut by a hash of their keys, so that a whole CRM need not be in memory at once."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from lakehouse.outbound.policy import LogPolicy
from lakehouse.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakehouse.settings import Settings


def part_of(key: str) -> int:
    """Return to which of `LogPolicy.most_shards` parts a key belongs. A part belongs to one shard, however many."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % LogPolicy.most_shards


def parts_of_shard(shard: int, shards: int) -> range:
    """Return the parts of one of `shards` shards, a power of two."""
    return range(shard, LogPolicy.most_shards, shards)


class Spool:
    """Lines under names, each cut into parts. What is written is read back in its order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, int], IO[str]] = {}

    def write(self, name: str, value: Any, part: int = 0) -> None:
        """Append a value of JSON to a part of a name."""
        file = self._open.get((name, part))
        if file is None:
            file = self._open[name, part] = self._path(name, part).open("a", encoding="utf-8")
        file.write(json.dumps(value, separators=(",", ":")) + "\n")

    def read(self, name: str, parts: range = range(1)) -> Iterator[Any]:
        """Yield what was written to parts of a name."""
        return map(json.loads, self.lines(name, parts))

    def lines(self, name: str, parts: range = range(1)) -> Iterator[str]:
        """Yield the lines of JSON that were written to parts of a name."""
        for part in parts:
            file = self._open.get((name, part))
            if file is not None:
                file.flush()
            if not self._path(name, part).exists():
                continue
            with self._path(name, part).open(encoding="utf-8") as lines:
                yield from lines

    def close(self, name: str) -> None:
        """Close the files of a name; they can still be read."""
        for key in [key for key in self._open if key[0] == name]:
            self._open.pop(key).close()

    def close_all(self) -> None:
        """Close every file."""
        while self._open:
            self._open.popitem()[1].close()

    def _path(self, name: str, part: int) -> Path:
        return self._folder / f"{name}-{part}.jsonl"


@contextmanager
def spool(settings: Settings) -> Iterator[Spool]:
    """Make a spool that is removed at the end."""
    with scratch_folder(settings.scratch, "outbound") as folder:
        made = Spool(folder)
        try:
            yield made
        finally:
            made.close_all()
