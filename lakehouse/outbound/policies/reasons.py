"""Why a row is not sent: the reason, the row that says so, and until when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

# As results, `ops.deliveries` and `lakehouse status` say it.
CONSENT: Final = "consent"
PROJECTION: Final = (
    "projection"  # consent could not be asked: its projection is absent, stale or gives no answer
)
ERASED: Final = "erased"  # the person was erased: nothing that was imported since allows it
SUPPRESSED: Final = "suppressed"  # in a segment that the sync does not write to
CONTROL: Final = "control"  # in the control group of every segment of the sync that the customer is in
QUIET_HOURS: Final = "quiet_hours"
CAP: Final = "cap"
NO_OWNER: Final = "no_owner"  # it is for the customer's owner, whom nobody knows
NO_ADDRESS: Final = "no_address"
SAME_ADDRESS: Final = "same_address"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is not sent.

    `by` names the row that says so: of `consent` a statement, of `suppressed` and `control` a segment, of `cap` the
    contact that has to grow old, of `quiet_hours` the zone ("": no row does). `until`: None where that is not known.
    """

    code: str
    by: str = ""
    until: datetime | None = None

    @property
    def text(self) -> str:
        """Return the reason and what it goes by, as the log has it."""
        return f"{self.code}:{self.by}" if self.by else self.code
