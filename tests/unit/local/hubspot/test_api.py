"""What the contacts API answers, without HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.local.hubspot.api import ContactsApi
from lakehouse.local.hubspot.contact_store import ContactStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ContactsApi]:
    store = ContactStore(tmp_path / "hubspot.sqlite")
    yield ContactsApi(store)
    store.close()


def contact(email: Any, **more: Any) -> dict[str, Any]:
    return {"id": email, "idProperty": "email", "properties": {}, **more}


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/batch/nothing", {}, 404, "no such endpoint"),
        ("/batch/upsert", {}, 400, "inputs is a list"),
        ("/batch/upsert", {"inputs": ["a"]}, 400, "inputs is a list"),
        ("/batch/upsert", {"inputs": [contact(5)]}, 400, "inputs is a list"),
        ("/batch/upsert", {"inputs": [contact("a@x.org"), contact("A@x.org")]}, 400, "Duplicate IDs"),
        ("/batch/upsert", {"inputs": [contact(f"c{n}@x.org") for n in range(101)]}, 400, "maximum"),
        ("/batch/upsert", {"inputs": [contact("1", idProperty="hs_object_id")]}, 400, "non-unique"),
        ("/batch/upsert", {"inputs": [contact("a@x.org", properties={"n": 1})]}, 400, "object of strings"),
        ("/batch/update", {"inputs": [contact("1")]}, 400, "non-unique"),
    ],
)
def test_what_hubspot_refuses_is_refused(
    api: ContactsApi, path: str, body: dict[str, Any], status: int, message: str
) -> None:
    """The request as such, so that nothing of it is written."""
    answer = api.post(path, body)
    assert answer.status == status
    assert answer.body is not None
    assert message in answer.body["message"]
    listed = api.get("", {}).body
    assert listed is not None
    assert listed["results"] == []


def test_a_bad_row_is_named_by_its_trace_id_or_its_id(api: ContactsApi) -> None:
    """207, and the others are written."""
    inputs = [contact("none", objectWriteTraceId="7"), contact("neither"), contact("a@x.org")]
    answer = api.post("/batch/upsert", {"inputs": inputs})
    assert answer.status == 207
    assert answer.body is not None
    assert answer.body["numErrors"] == 2
    assert [error["context"] for error in answer.body["errors"]] == [
        {"objectWriteTraceId": ["7"]},
        {"ids": ["neither"]},
    ]
    assert len(answer.body["results"]) == 1


def test_contacts_are_listed_by_pages_of_at_most_a_hundred(api: ContactsApi) -> None:
    """Each page but the last names the next."""
    for start in (0, 100):
        api.post("/batch/upsert", {"inputs": [contact(f"c{n}@x.org") for n in range(start, start + 100)]})
    first = api.get("", {"limit": "500"}).body
    assert first is not None
    assert len(first["results"]) == 100
    last = api.get("", {"limit": "100", "after": first["paging"]["next"]["after"]}).body
    assert last is not None
    assert (len(last["results"]), "paging" in last) == (100, False)
    assert len((api.get("", {}).body or {})["results"]) == 10


def test_one_contact_is_found_by_id_or_address(api: ContactsApi) -> None:
    """With the properties that are asked for."""
    inputs = [contact("a@x.org", properties={"tier": "gold", "city": "x"})]
    made = (api.post("/batch/upsert", {"inputs": inputs}).body or {})["results"][0]
    shown = api.get("/a@x.org", {"idProperty": "email", "properties": "tier"})
    assert (shown.body or {})["properties"].keys() == {
        "tier",
        "hs_object_id",
        "createdate",
        "lastmodifieddate",
    }
    assert api.get(f"/{made['id']}", {}).status == 200
    assert api.get("/gone@x.org", {"idProperty": "email"}).status == 404
