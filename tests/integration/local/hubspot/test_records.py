"""The simulator's tasks, tickets, notes and properties are HubSpot's as far as HubSpot's own client can tell."""

from __future__ import annotations

import pytest
from hubspot import HubSpot
from hubspot.crm.objects.tasks import (
    ApiException,
    AssociationSpec,
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    PublicAssociationsForObject,
    PublicObjectId,
    SimplePublicObjectBatchInput,
    SimplePublicObjectBatchInputForCreate,
    SimplePublicObjectId,
)
from hubspot.crm.properties import ApiException as PropertyException
from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate

from lakehouse.local.hubspot.server import HubSpotSimulator

TOKEN = "pat-test"
DUE = "2026-03-01T08:00:00Z"


@pytest.fixture
def simulator(tmp_path):
    running = HubSpotSimulator(tmp_path / "hubspot.sqlite", TOKEN)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def crm(simulator):
    return HubSpot(access_token=TOKEN, host=simulator.url, retry=False).crm


@pytest.fixture
def keyed(crm):
    """A HubSpot whose tasks have a unique property of ours."""
    crm.properties.groups_api.create("tasks", PropertyGroupCreate(name="ours", label="Ours"))
    crm.properties.core_api.create(
        "tasks",
        PropertyCreate(name="our_key", label="Key", type="string", field_type="text", group_name="ours",
                       has_unique_value=True, hidden=True),
    )  # fmt: skip
    return crm


def _task(key: str, contact: str = "", **more) -> SimplePublicObjectBatchInputForCreate:
    spec = AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=204)
    about = [PublicAssociationsForObject(to=PublicObjectId(id=contact), types=[spec])] if contact else []
    properties = {"hs_task_subject": "Call", "hs_timestamp": DUE, "our_key": key, **more}
    return SimplePublicObjectBatchInputForCreate(
        associations=about, properties=properties, object_write_trace_id=f"row-{key}"
    )


def _create(crm, *tasks):
    return crm.objects.tasks.batch_api.create(
        BatchInputSimplePublicObjectBatchInputForCreate(inputs=list(tasks))
    )


def _read(crm, *keys):
    wanted = BatchReadInputSimplePublicObjectId(
        id_property="our_key", inputs=[SimplePublicObjectId(id=key) for key in keys], properties=["hs_timestamp"],
        properties_with_history=[],
    )  # fmt: skip
    return crm.objects.tasks.batch_api.read(wanted)


def test_a_task_is_made_once_by_its_key(keyed):
    """It is found by the key at once; a second one with the key is refused, with all the others of its request."""
    made = _create(keyed, _task("a"))
    assert made.results[0].properties["hs_task_subject"] == "Call"
    with pytest.raises(ApiException) as refused:
        _create(keyed, _task("b"), _task("a"))
    assert refused.value.status == 400
    found = _read(keyed, "a", "b")
    assert [(each.id, each.properties["hs_timestamp"]) for each in found.results] == [
        (made.results[0].id, "2026-03-01T08:00:00.000Z")
    ]
    assert found.num_errors == 1


@pytest.mark.parametrize(
    ("properties", "contact"),
    [
        pytest.param({"hs_task_status": "DONE"}, "", id="a status that there is not"),
        pytest.param({"hs_timestamp": "soon"}, "", id="a moment that is none"),
        pytest.param({"hs_timestamp": ""}, "", id="no due date"),
        pytest.param({"nobody_made_this": "x"}, "", id="a property that there is not"),
        pytest.param({}, "404", id="a contact that there is not"),
    ],
)
def test_what_hubspot_refuses(keyed, properties, contact):
    """The whole request, as it does."""
    with pytest.raises(ApiException):
        _create(keyed, _task("a", contact, **properties))
    assert _read(keyed, "a").num_errors == 1


def test_a_task_is_updated_and_archived(keyed, simulator):
    """By its id; its key is free then."""
    record = _create(keyed, _task("a")).results[0].id
    done = SimplePublicObjectBatchInput(id=record, properties={"hs_task_status": "COMPLETED"})
    keyed.objects.tasks.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=[done]))
    assert keyed.objects.tasks.basic_api.get_by_id(record).properties["hs_task_status"] == "COMPLETED"
    keyed.objects.tasks.batch_api.archive(
        BatchInputSimplePublicObjectId(inputs=[SimplePublicObjectId(id=record)])
    )
    assert simulator.state()["records"] == {}
    assert _create(keyed, _task("a")).results[0].id != record


def test_properties_are_made_once_and_never_changed(crm):
    """In a group that there is; one that is there, or is HubSpot's own, is refused."""
    said = PropertyCreate(name="tier", label="Tier", type="string", field_type="text", group_name="ours")
    with pytest.raises(PropertyException):
        crm.properties.core_api.create("contacts", said)
    crm.properties.groups_api.create("contacts", PropertyGroupCreate(name="ours", label="Ours"))
    crm.properties.core_api.create("contacts", said)
    for name in ("tier", "email"):
        said.name = name
        with pytest.raises(PropertyException) as refused:
            crm.properties.core_api.create("contacts", said)
        assert refused.value.status == 409
    found = {each.name: each.type for each in crm.properties.core_api.get_all("contacts").results}
    assert (found["tier"], found["email"]) == ("string", "string")
    assert crm.properties.core_api.get_by_name("tasks", "hs_timestamp").type == "datetime"
