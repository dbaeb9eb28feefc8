"""Which records share an identifier: the most that exact rules can find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Links:
    """Disjoint sets over names of records and identifiers (union-find with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, node: str) -> str:
        """Return the name that stands for the set of `node`, which is added when it is new."""
        parent = self._parent
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, node: str, others: Iterable[str]) -> None:
        """Put `node` and `others` into one set."""
        for other in others:
            self._parent[self.find(other)] = self.find(node)
