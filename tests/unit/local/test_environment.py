"""The environment that a stack sets, and how it is undone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lakehouse import aws, settings
from lakehouse.local.environment import (
    activate,
    secret_values,
    service_environment,
    shared_environment,
    stack_environment,
)
from lakehouse.local.services.keys import load_keys
from lakehouse.local.wiring.resources import Function, Wiring, queue_url_marker


def test_a_stack_is_met_with_no_profile_token_or_proxy_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And afterwards everything is as it was."""
    theirs = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "t",
        "AWS_ENDPOINT_URL_SQS": "http://x",
        "HTTP_PROXY": "y",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    keys = load_keys(tmp_path / "secrets.json")
    env = service_environment(keys, {"s3": "http://127.0.0.1:2", "iceberg": "http://127.0.0.1:3"})
    undo = activate(env)
    try:
        assert not theirs.keys() & os.environ.keys()
        assert settings.current().catalog_uri == "http://127.0.0.1:3"
        assert aws.s3().meta.endpoint_url == "http://127.0.0.1:2"
        for client in (aws.sqs(), aws.events(), aws.dynamodb(), aws.secrets()):
            assert client.meta.endpoint_url == "http://127.0.0.1:1"
    finally:
        undo()
    assert dict(os.environ) == before


def test_functions_share_one_environment_without_queues_that_may_not_exist() -> None:
    """A queue's URL is empty until the queue is made."""
    variables = {"LAKEHOUSE_OPS_BUCKET": "ops", "LAKEHOUSE_BOOKS_QUEUE_URL": queue_url_marker("books")}
    functions = {"f": Function("f", "m", 128, 3, "Zip", variables)}
    wiring = Wiring([], [], [], [], functions, [], [], [], [])
    assert shared_environment(wiring) == {"LAKEHOUSE_OPS_BUCKET": "ops", "LAKEHOUSE_BOOKS_QUEUE_URL": ""}


@pytest.mark.parametrize(
    ("functions", "as_of", "expected"),
    [
        ({}, None, {}),
        ({"LAKEHOUSE_AS_OF": ""}, None, {}),
        ({"LAKEHOUSE_AS_OF": "2020-01-01"}, None, {"LAKEHOUSE_AS_OF": "2020-01-01"}),
        ({"LAKEHOUSE_AS_OF": "2020-01-01"}, "1998-06-30", {"LAKEHOUSE_AS_OF": "1998-06-30"}),
        ({"LAKEHOUSE_CATALOG": "glue", "X": "1"}, None, {"X": "1"}),
    ],
)
def test_services_win_over_the_template_and_the_folders_day_over_both(
    functions: dict[str, str], as_of: str | None, expected: dict[str, str]
) -> None:
    """Empty values set nothing; definitions are named by an absolute path."""
    services = {"LAKEHOUSE_CATALOG": "rest"}
    environment = stack_environment(
        functions, services, scratch=Path("/s"), definitions=Path("d"), as_of=as_of
    )
    common = {"LAKEHOUSE_SCRATCH": "/s", "LAKEHOUSE_DEFINITIONS": str(Path("d").absolute())}
    assert environment == services | common | expected


def test_the_folders_time_zone_wins_over_the_templates() -> None:
    """One that no folder keeps is the template's."""
    functions = {"LAKEHOUSE_TIME_ZONE": "UTC"}
    zones = [
        stack_environment(
            functions, {}, scratch=Path("/s"), definitions=Path("d"), as_of=None, time_zone=zone
        )
        for zone in (None, "Asia/Shanghai")
    ]
    assert [zone["LAKEHOUSE_TIME_ZONE"] for zone in zones] == ["UTC", "Asia/Shanghai"]


def test_secrets_get_the_folders_keys_under_the_templates_names(tmp_path: Path) -> None:
    """A secret that the template does not make, or no function finds, has no value."""
    keys = load_keys(tmp_path / "secrets.json")
    functions = {"LAKEHOUSE_HUBSPOT_SECRET": "h", "LAKEHOUSE_WEBHOOK_SECRET": "w"}
    assert secret_values(keys, functions, ["h", "other"]) == {"h": keys.hubspot_secret()}
    nothing: dict[str, Any] = {}
    assert secret_values(keys, functions, []) == nothing


def test_credentials_of_destinations_are_peoples_own(tmp_path: Path) -> None:
    """What they wrote into the data folder; nothing, where they wrote nothing."""
    keys = load_keys(tmp_path / "secrets.json")
    functions = {"LAKEHOUSE_DESTINATIONS_SECRET": "d"}
    assert secret_values(keys, functions, ["d"]) == {"d": "{}"}
    assert secret_values(keys, functions, ["d"], '{"mine": {}}') == {"d": '{"mine": {}}'}
