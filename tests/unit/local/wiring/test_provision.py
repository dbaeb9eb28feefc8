"""What is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse import aws
from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import provision
from lakehouse.local.wiring.resources import Function, Rule, Target, Wiring


class _Calls:
    """A service that notes what it is asked."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.names.append(name)
        raise AttributeError(name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> _Calls:
    calls = _Calls()
    for service in ("sqs", "events", "dynamodb", "secrets"):
        monkeypatch.setattr(aws, service, lambda: calls)
    return calls


def wiring(**parts: Any) -> Wiring:
    empty: dict[str, Any] = {
        name: []
        for name in ("buckets", "queues", "rules", "schedules", "mappings", "routes", "tables", "secrets")
    }
    return Wiring(**{**empty, "functions": {}, **parts})


def test_a_secret_that_the_template_lacks_is_refused_before_anything_is_made(calls: _Calls) -> None:
    """A misspelt name would leave the real one empty."""
    with pytest.raises(BadDefinition, match="no secret b"):
        provision.create(wiring(secrets=["a"]), secrets={"b": "{}"})
    assert calls.names == []


def test_functions_share_one_environment_or_are_refused(calls: _Calls) -> None:
    """A variable has one value in one process."""
    functions = {name: Function(name, "m", 128, 3, "Zip", {"X": "1"}) for name in ("f", "g")}
    assert provision.create(wiring(functions=functions), secrets={}).environment == {"X": "1"}
    functions["g"] = Function("g", "m", 128, 3, "Zip", {"X": "2"})
    with pytest.raises(BadDefinition, match="g: X differs"):
        provision.create(wiring(functions=functions), secrets={})


def test_a_target_with_an_input_is_refused_before_its_rule_is_made(calls: _Calls) -> None:
    """The event bus would send the event all the same."""
    calls.__dict__["meta"] = type("Meta", (), {"region_name": "us-east-1"})
    rule = Rule("r", {}, [Target("q", None, "{}")])
    with pytest.raises(BadDefinition, match="r: the event bus here does not do a target's Input"):
        provision._create_rule(rule, {"q": "http://127.0.0.1/1/q"})
    assert calls.names == []
