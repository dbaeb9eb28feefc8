"""Credentials of destinations: one secret holds them all, by the destination's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from lakehouse.outbound.destinations.definition import Definition
    from lakehouse.settings import Settings


class Credentials:
    """What a destination's credentials are; its text shows none of them."""

    def __init__(self, values: dict[str, str], where: str) -> None:
        self._values = values
        self._where = where

    def __repr__(self) -> str:
        """Return no value."""
        return f"Credentials({sorted(self._values)})"

    def __contains__(self, name: str) -> bool:
        """Return whether there is one of that name."""
        return name in self._values

    def __getitem__(self, name: str) -> str:
        """Return one by its name; Terminal when it is missing."""
        try:
            return self._values[name]
        except KeyError:
            raise Terminal(f"{self._where} has no {name!r}: write it there") from None


def credentials(settings: Settings, definition: Definition) -> Credentials:
    """Return a destination's credentials; none where the secret does not know the destination.

    Raises Transient when the secret cannot be fetched, Terminal where what it says is no object of texts, or a text has
    a line break in it, as one that was pasted may.
    """
    where = f"{definition.name!r} in the secret {settings.destinations_secret}"
    found = secret(settings.destinations_secret).get(definition.name, {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Terminal(f"{where} is no JSON object of texts")
    values = {name: value.strip() for name, value in found.items()}
    if broken := [name for name, value in values.items() if not value.isprintable()]:
        raise Terminal(
            f"{where}: {', '.join(sorted(broken))} holds a line break or another control character"
        )
    return Credentials(values, where)
