"""Values as HubSpot keeps them, and those that it refuses."""

from __future__ import annotations

import pytest

from lakehouse.local.hubspot.object_properties import DEFINED, BadValueError, stored_value

TASKS = DEFINED["tasks"]


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("hs_timestamp", "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.000Z"),
        ("hs_timestamp", "2026-03-01T09:00:00+01:00", "2026-03-01T08:00:00.000Z"),
        ("hs_timestamp", "1772352000000", "2026-03-01T08:00:00.000Z"),
        ("hs_timestamp", "", ""),
        ("hs_task_status", "WAITING", "WAITING"),
        ("hs_task_subject", " Call ", " Call "),
    ],
)
def test_a_value_is_kept_as_hubspot_writes_it(name, value, stored):
    """Moments in UTC with milliseconds, whatever they came as."""
    assert stored_value(TASKS, name, value) == stored


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("hs_timestamp", "soon", "INVALID_DATE"),
        ("hs_timestamp", "9" * 30, "INVALID_DATE"),
        ("hs_task_status", "DONE", "INVALID_OPTION"),
        ("hs_object_id", "x", "INVALID_INTEGER"),
        ("nobody_made_this", "", "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_what_is_no_value_of_a_property_is_refused(name, value, code):
    """With HubSpot's word for why."""
    with pytest.raises(BadValueError) as refused:
        stored_value(TASKS, name, value)
    assert refused.value.code == code
