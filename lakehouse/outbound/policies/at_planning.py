"""The policies that decide when a run is planned: whom the CRM should not hold at all. Pure.

Who is left out by one of them and is held is taken off; that waits for no other policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.outbound.policies.reasons import CONSENT, CONTROL, ERASED, NO_OWNER, SUPPRESSED, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.outbound.records import Desired


def consent(person: Desired) -> Reason | None:
    """Withhold from everybody of whom it is not known that they allow it; it is asked again when it is sent."""
    if person.consented:
        return None
    return Reason(ERASED if person.erased else CONSENT, person.refused_by)


def suppression(person: Desired) -> Reason | None:
    """Withhold from who is in a segment that the sync names under `suppress`."""
    return Reason(SUPPRESSED, person.suppressed_by) if person.suppressed_by else None


def control_group(person: Desired) -> Reason | None:
    """Withhold from who is in the control group of each segment that is the reason to write."""
    return Reason(CONTROL, person.control_of) if person.control_of else None


def ownership(person: Desired) -> Reason | None:
    """Withhold what is for the customer's owner where nobody knows one."""
    return Reason(NO_OWNER) if person.no_owner else None


_ORDER: Final[tuple[Callable[[Desired], Reason | None], ...]] = (
    consent,
    suppression,
    control_group,
    ownership,
)


def reason_to_leave_out(person: Desired) -> Reason | None:
    """Return the first reason for which somebody is left out; None for who should be held by the CRM."""
    return next((reason for policy in _ORDER if (reason := policy(person)) is not None), None)
