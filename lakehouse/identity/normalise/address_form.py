"""What a postal address is, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address in parts that compare; all folded, '' where nothing is said.

    `region`: the code of a Chinese region, six digits. `street`, `number`, `unit` (building, entrance, room; flat),
    `estate`: what else has a name, such as a housing estate. `locality`: the place of a Western address. `postcode`:
    without blanks.
    """

    region: str = ""
    street: str = ""
    number: str = ""
    unit: str = ""
    estate: str = ""
    locality: str = ""
    postcode: str = ""

    @property
    def city(self) -> str:
        """Return the first four digits of the region, '' where not even the city is said."""
        return self.region[:4] if self.region[2:4] not in ("", "00") else ""

    @property
    def district(self) -> str:
        """Return the region's code where it says the district, else ''."""
        return self.region if self.region[4:] not in ("", "00") else ""


NO_ADDRESS: Final = PostalAddress()
