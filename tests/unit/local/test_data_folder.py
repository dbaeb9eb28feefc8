"""What a data folder keeps from one start to the next, and the environment that a stack sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from lakehouse import aws, settings
from lakehouse.errors import Terminal
from lakehouse.local.attachment import StackInfo, announce, attach
from lakehouse.local.data_folder import DataFolder, Remembered, as_day
from lakehouse.local.environment import activate, service_environment
from lakehouse.local.services.keys import load_keys

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    """A second start has the same, another folder others, and nobody else may read them."""
    keys = load_keys(tmp_path / "secrets.json")
    assert load_keys(tmp_path / "secrets.json") == keys
    assert load_keys(tmp_path / "other.json") != keys
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert json.loads(keys.hubspot_secret())["token"] == keys.hubspot_token
    assert json.loads(keys.webhook_secret())["default"][0].startswith("whsec_")
    assert json.loads(keys.hash_secret())["key"] == keys.hash_key


def test_a_folder_of_before_there_was_a_hash_key_gets_one_and_keeps_it(tmp_path: Path) -> None:
    """Its other keys stay as they are, or its object store would be locked."""
    keys = load_keys(tmp_path / "secrets.json")
    older = {name: value for name, value in asdict(keys).items() if name != "hash_key"}
    (tmp_path / "secrets.json").write_text(json.dumps(older))
    grown = load_keys(tmp_path / "secrets.json")
    assert asdict(grown) | {"hash_key": keys.hash_key} == asdict(keys)
    assert grown.hash_key != keys.hash_key
    assert load_keys(tmp_path / "secrets.json") == grown
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_damaged_files_are_told_and_not_overwritten(tmp_path: Path) -> None:
    """Making new keys would lock the object store's owner out without a word."""
    (tmp_path / "secrets.json").write_text('{"access_key": "a"}')
    with pytest.raises(Terminal, match=r"secrets\.json holds no keys"):
        load_keys(tmp_path / "secrets.json")
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(Terminal, match=r"settings\.json cannot be read"):
        DataFolder(tmp_path).remembered()


def test_a_day_is_remembered_until_now(tmp_path: Path) -> None:
    """A demo's stack stays at its day; "now" forgets it; nonsense is refused."""
    folder = DataFolder(tmp_path)
    assert folder.remembered() == Remembered()
    folder.remember(as_of=as_day("1998-06-30"))
    folder.remember(buckets_made=True)
    assert folder.remembered() == Remembered(as_of="1998-06-30", buckets_made=True)
    folder.remember(as_of=as_day("now"))
    assert folder.remembered().as_of is None
    with pytest.raises(Terminal, match="yesterday"):
        as_day("yesterday")


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


def test_a_stack_that_is_no_more_is_not_attached_to(tmp_path: Path) -> None:
    """Whatever `stack.json` says: another process may have its pid, and its ports may be silent."""
    assert attach(tmp_path) is None
    info = StackInfo(os.getpid(), 1.0, "", "all", {}, {"s3": "http://127.0.0.1:1"}, {})
    announce(tmp_path, info)
    assert attach(tmp_path) is None
    (tmp_path / "stack.json").write_text('{"pid": 1}')
    assert attach(tmp_path) is None


def test_finding_or_starting_a_stack_imports_nothing_heavy() -> None:
    """`status` waits for it; tables and engine are the business of what comes after."""
    code = "import sys, lakehouse.local.stack; print({'pyarrow', 'duckdb', 'pyiceberg'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout == "set()\n"
