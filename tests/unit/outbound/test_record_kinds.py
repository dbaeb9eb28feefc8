"""What a file need not say of the records that it writes."""

from __future__ import annotations

from lakehouse.outbound.definition import Sync
from tests.unit.outbound.test_record_syncs import CALLS, SAID


def test_what_a_file_need_not_say():
    """Neither how a task is known, nor what it asks consent for, nor how it begins and ends."""
    assert (CALLS.id.property, CALLS.id.column, CALLS.purpose) == ("lakehouse_key", "cause_key", "none")
    assert (CALLS.removal, CALLS.closed) == ("close", {"hs_task_status": "COMPLETED"})
    assert CALLS.fixed == {"hs_task_status": "NOT_STARTED", "hs_task_type": "TODO"}
    assert CALLS.brakes.first_run_rows == 1_000
    assert CALLS.guarded == CALLS.written
    again = Sync.model_validate_json(CALLS.model_dump_json(by_alias=True))
    assert again == CALLS


def test_tasks_of_another_destination_are_what_it_calls_so():
    """Nothing of HubSpot's is assumed of them."""
    own = Sync.model_validate(
        {**SAID, "destination": "our_crm", "id": {"property": "key", "from": "cause_key"}}
    )
    assert (own.kind, own.fixed, own.guarded, own.removal, own.is_by_cause) == (
        None,
        {},
        set(),
        "clear",
        True,
    )
