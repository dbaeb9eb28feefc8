"""A HubSpot that neither finds nor makes a contact by an address that is another's secondary one, as people report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation_publish.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@dataclass
class SecondaryWorld(World):
    """As `World`; only the checks see whose secondary an address is."""

    def _carry_out(self, path: str, body: dict[str, Any], method: str = "POST") -> httpx.Response:
        with self._refusing():
            return super()._carry_out(path, body, method)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        self.crm.refuses_secondary = True
        try:
            yield
        finally:
            self.crm.refuses_secondary = False
