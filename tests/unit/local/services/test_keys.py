"""The keys of a data folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Terminal
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


def test_damaged_keys_are_an_error_and_not_overwritten(tmp_path: Path) -> None:
    """Making new keys would lock the object store's owner out without a word."""
    (tmp_path / "secrets.json").write_text('{"access_key": "a"}')
    with pytest.raises(Terminal, match=r"secrets\.json holds no keys"):
        load_keys(tmp_path / "secrets.json")
    assert (tmp_path / "secrets.json").read_text() == '{"access_key": "a"}'
