"""Who is answered what, without HTTP."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.local.hubspot.api import CONTACTS
from lakehouse.local.hubspot.faults import Fault
from lakehouse.local.hubspot.server import HubSpotSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[HubSpotSimulator]:
    simulator = HubSpotSimulator(tmp_path / "hubspot.sqlite", "token", rate_limit=20)
    yield simulator
    simulator.stop()


def request(method: str = "POST", path: str = f"{CONTACTS}/batch/upsert", **more: Any) -> Any:
    body = more.pop("body", {"inputs": [{"id": "a@x.org", "idProperty": "email", "properties": {}}]})
    fields = {
        "headers": {"Authorization": "Bearer token"},
        "query": {},
        "json": lambda: json.loads(body) if isinstance(body, str) else body,
    }
    return SimpleNamespace(method=method, path=path, **{**fields, **more})


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(), 200),
        (request(headers={}), 401),
        (request(headers={"Authorization": "Bearer other"}), 401),
        (request(body="{"), 400),
        (request(path="/crm/v3/objects/deals/batch/upsert"), 404),
        (request("GET", f"{CONTACTS}/nobody"), 404),
        (request("PATCH"), 405),
    ],
)
def test_every_request_has_its_status(simulator: HubSpotSimulator, asked: Any, status: int) -> None:
    """As HubSpot's."""
    answer, _ = simulator.answer(asked)
    assert answer is not None
    assert answer.status == status


@pytest.mark.parametrize(
    ("fault", "status", "contacts"),
    [
        (Fault(status=503), 503, 0),
        (Fault(status=520), 520, 0),
        (Fault(status=503, where="after"), 503, 1),
        (Fault(drop=True), None, 0),
        (Fault(drop=True, where="after"), None, 1),
        (Fault(status=200), 200, 0),
        (Fault(status=429, retry_after=1.2), 429, 0),
    ],
)
def test_a_fault_happens_before_or_after_the_write(
    simulator: HubSpotSimulator, fault: Fault, status: int | None, contacts: int
) -> None:
    """No answer at all is one of them."""
    simulator.faults.add(fault)
    answer, headers = simulator.answer(request())
    assert (answer.status if answer else None) == status
    assert simulator.state()["contacts"] == contacts
    assert headers.get("Retry-After") == ("2" if fault.retry_after else None)


def test_requests_above_the_rate_limit_are_refused(simulator: HubSpotSimulator) -> None:
    """429, and counted like all others."""
    statuses = []
    for _ in range(21):
        answer, _ = simulator.answer(request())
        statuses.append(answer.status if answer else 0)
        simulator.count("/p", statuses[-1])
    assert statuses == [200] * 20 + [429]
    state = simulator.state(every_contact=True)
    assert (state["requests"], state["paths"], state["statuses"]) == (21, {"/p": 21}, {"200": 20, "429": 1})
    assert state["writes_by_email"] == {"a@x.org": 20}
