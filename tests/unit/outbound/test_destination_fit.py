"""What does not fit together in a sync, or its kind of destination cannot do, is told by field."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lakehouse.outbound import destination_fit
from lakehouse.outbound.definition import Sync
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_record_syncs import SAID


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"triggers": []}, "segments: name at least one"),
        ({"properties": {"hs_task_subject": "name"}}, "tasks need hs_timestamp"),
        ({"removal": "clear"}, "tasks are not cleared"),
        ({"fill_blanks": ["city"]}, "is of contacts"),
        ({"contact": {}}, "asks consent for one"),
        ({"contact": {}, "purpose": "service"}, "reach no customer"),
        ({"closed": {}}, "say what closing writes"),
        (
            {"object": "contacts", "properties": {}, "id": {"property": "email", "from": "email"}},
            "at least one property",
        ),
    ],
)
def test_what_does_not_fit_together(change, message):
    """The field and what to say instead."""
    with pytest.raises(ValidationError, match=message):
        Sync.model_validate({**SAID, **change})


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("http", {"purpose": "none"}, "purpose"),
        ("salesforce", {"fill_blanks": ["City"]}, "fill_blanks"),
        ("webhook", {"create_properties": True}, "create_properties"),
        ("salesforce", {"removal": "archive"}, "removal"),
        ("hubspot", {"removal": "close", "closed": {"x": "y"}, "destination": "hubspot"}, "removal"),
        ("hubspot", {"object": "deals", "destination": "hubspot"}, "object"),
        (
            "hubspot",
            {"id": {"property": "lakehouse_key", "from": "email"}, "destination": "hubspot"},
            "id.property",
        ),
    ],
)
def test_what_a_kind_of_destination_cannot_do(kind, change, field):
    """It is told before anything is planned."""
    said = {**SYNC.model_dump(by_alias=True), "destination": "other", **change}
    assert field in dict(destination_fit.problems(Sync.model_validate(said), kind))
