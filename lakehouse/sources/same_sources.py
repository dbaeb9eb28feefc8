"""Definitions as the key of what is remembered of them: those that were loaded once, and never change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source


class SameSources:
    """Some sources; equal to the same objects in the same order. Others that say the same are others.

    To compare or hash what they say would take longer than most of what is made of them.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        """Keep the sources: as long as one is kept, no other has its id."""
        self._sources = tuple(sources)
        self._ids = tuple(map(id, self._sources))

    def __iter__(self) -> Iterator[Source]:
        return iter(self._sources)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameSources) and self._ids == other._ids

    def __hash__(self) -> int:
        return hash(self._ids)
