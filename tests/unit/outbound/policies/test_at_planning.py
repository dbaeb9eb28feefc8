"""Who is left out when a run is planned, by the first policy that says so."""

from __future__ import annotations

import pytest

from lakehouse.outbound.policies.at_planning import reason_to_leave_out
from lakehouse.outbound.policies.reasons import Reason
from lakehouse.outbound.records import Desired


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"consented": True}, None),
        ({}, Reason("consent")),
        ({"refused_by": "consent-7"}, Reason("consent", "consent-7")),
        ({"erased": True, "refused_by": "erasure-1"}, Reason("erased", "erasure-1")),
        ({"consented": True, "suppressed_by": "complaints"}, Reason("suppressed", "complaints")),
        ({"consented": True, "control_of": "vip"}, Reason("control", "vip")),
        ({"suppressed_by": "complaints", "control_of": "vip"}, Reason("consent")),
        (
            {"consented": True, "suppressed_by": "complaints", "control_of": "vip"},
            Reason("suppressed", "complaints"),
        ),
    ],
)
def test_the_first_policy_that_withholds_is_the_reason(facts, reason):
    """Consent before suppression before the control group; nobody consented of whom nothing is known."""
    assert reason_to_leave_out(Desired("c1", "a@x.org", {}, **facts)) == reason
