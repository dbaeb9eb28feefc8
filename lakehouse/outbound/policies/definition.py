"""What a sync's file says of contacting people: how often, when, and when to stop."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lakehouse.outbound.policy import ContactPolicy

_MINUTES_A_DAY: Final = 24 * 60
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


def _minute(value: Any) -> Any:
    """Return the minute of the day of `21:00`, which YAML reads as the number 1260 where it has no quotes."""
    if isinstance(value, str):
        found = _TIME.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{value!r} is no time of day such as 21:00")
        value = int(found[1]) * 60 + int(found[2])
    return 0 if value == _MINUTES_A_DAY else value


Minute = Annotated[int, BeforeValidator(_minute), Field(ge=0, lt=_MINUTES_A_DAY)]


class Cap(BaseModel):
    """A person gets at most `most` messages by the sync's channel within `days` days, of all syncs and of people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most: Annotated[int, Field(ge=1)] = ContactPolicy.cap_most
    days: Annotated[int, Field(ge=1, le=ContactPolicy.longest_cap_days)] = ContactPolicy.cap_days


class QuietHours(BaseModel):
    """Nobody is written to from one time of the person's day until another; `best_hour`: only in the best one."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[Minute, Field(alias="from")] = ContactPolicy.quiet_from
    until: Minute = ContactPolicy.quiet_until
    best_hour: bool = False

    @model_validator(mode="after")
    def _leaves_time(self) -> QuietHours:
        if self.start == self.until:
            raise ValueError(
                "from and until are the same time: nobody could ever be written to; for no quiet hours: null"
            )
        return self


class Refusals(BaseModel):
    """The sync stops when more than `share` of those whom it wrote to within `days` days refused or blocked it since.

    `codes` are what the destination answers for somebody who blocked us, beside refusals that come as statements.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: Annotated[float, Field(ge=0, lt=1)] = ContactPolicy.refusal_share
    days: Annotated[int, Field(ge=1, le=90)] = ContactPolicy.refusal_days
    least_contacted: Annotated[int, Field(ge=1)] = ContactPolicy.least_contacted
    codes: tuple[str, ...] = ()


class Contact(BaseModel):
    """The sync writes to people, not only to their records. Null instead of a policy: that one does not hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cap: Cap | None = Cap()
    quiet_hours: QuietHours | None = QuietHours()
    refusals: Refusals | None = Refusals()
