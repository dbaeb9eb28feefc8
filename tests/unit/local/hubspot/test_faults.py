"""Which requests a fault is for, and the rolling rate limit."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from lakehouse.local.hubspot.faults import Fault, Faults, RateLimit, error_body


@pytest.mark.parametrize(
    ("fault", "path", "ids", "happens"),
    [
        (Fault(), "/any", set(), True),
        (Fault(path="upsert"), "/batch/upsert", set(), True),
        (Fault(path="upsert"), "/batch/read", {"a"}, False),
        (Fault(id="a"), "/any", {"a", "b"}, True),
        (Fault(id="a"), "/any", {"b"}, False),
        (Fault(id="a", path="upsert"), "/batch/upsert", {"b"}, False),
    ],
)
def test_a_fault_waits_for_the_requests_it_is_for(
    fault: Fault, path: str, ids: set[str], happens: bool
) -> None:
    """By a part of the path, and by an id among the inputs."""
    faults = Faults()
    faults.add(fault)
    assert (faults.take(path, ids) is not None) is happens


def test_faults_happen_in_order_and_as_often_as_asked_for() -> None:
    """One that waits for another request lets the next one by; forgotten ones do not happen."""
    faults = Faults()
    for fault in (Fault(status=429, times=2), Fault(status=503, id="x"), Fault(status=500)):
        faults.add(fault)
    taken = [faults.take("/", set()) for _ in range(4)]
    assert [fault.status if fault else None for fault in taken] == [429, 429, 500, None]
    faults.clear()
    assert faults.take("/", {"x"}) is None


def test_an_impossible_fault_is_refused() -> None:
    """A misspelt field, and a status that HTTP does not have."""
    for wrong in ({"sttus": 500}, {"status": 99}, {"times": 0}):
        with pytest.raises(ValidationError):
            Fault.model_validate(wrong)


def test_the_rate_limit_counts_within_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers count down; past the limit they say when to come again; refused requests do not count."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    limit = RateLimit(2, 10.0)
    admitted, headers = limit.admit()
    assert (admitted, headers["X-HubSpot-RateLimit-Remaining"]) == (True, "1")
    now[0] = 104.0
    assert limit.admit()[0]
    now[0] = 104.5
    refused, headers = limit.admit()
    assert (refused, headers["Retry-After"]) == (False, "6")
    now[0] = 110.0
    assert limit.admit()[0]


def test_an_error_has_hubspots_shape() -> None:
    """Context and code only where there are some."""
    assert set(error_body("A", "b")) == {"status", "category", "message", "correlationId"}
    full = error_body("A", "b", "C", ids=["1"])
    assert (full["context"], full["errors"]) == ({"ids": ["1"]}, [{"message": "b", "code": "C"}])
