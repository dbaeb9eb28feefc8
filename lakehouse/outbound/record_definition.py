"""What a sync's file says of the records that it writes: whose they are, and the properties that are made for them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
# What a destination calls a property: a name of its API, or the head of a column.
PropertyName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,120}$", strip_whitespace=True)]
HUBSPOT_OWNER: Final = "hubspot_owner_id"
# What becomes of what was written once its reason is gone; `clear` is all that most destinations know.
Removal = Literal["clear", "close", "archive", "keep"]
PropertyType = Literal["string", "number", "date", "datetime", "enumeration", "bool"]


class Owner(BaseModel):
    """The user of the CRM for whom a record is: who looks after the customer's newest contact of `source` with one.

    `map` turns what that source calls its users, an id or a name, into ids of the CRM; where it has any, others are not
    known, and HubSpot's ids are numbers. `default`: who gets what belongs to nobody ("": that is withheld).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    property: PropertyName = HUBSPOT_OWNER
    source: Name = "hubspot"
    map: dict[str, str] = {}
    default: str = ""

    def of(self, owner: str) -> str:
        """Return the id in the CRM of a source's user; "" where there is none."""
        known = self.map.get(owner, "") if self.map else owner
        is_id = known.isdecimal() or self.property != HUBSPOT_OWNER
        return known if known and is_id else self.default


class PropertySpec(BaseModel):
    """A property that is made in the CRM where it is missing; its label is made of the name where none is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: PropertyType = "string"
    label: str = ""
    group: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,50}$")] = "lakehouse"
    options: tuple[Annotated[str, Field(min_length=1)], ...] = ()
