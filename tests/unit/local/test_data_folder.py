"""What a data folder keeps from one start to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Terminal
from lakehouse.local.data_folder import DataFolder, FolderSettings, parse_as_of, parse_time_zone

if TYPE_CHECKING:
    from pathlib import Path


def test_a_day_is_kept_until_now(tmp_path: Path) -> None:
    """A demo's stack stays at its day; "now" forgets it; nonsense is refused."""
    folder = DataFolder(tmp_path)
    assert folder.settings() == FolderSettings()
    folder.change_settings(as_of=parse_as_of("1998-06-30"))
    folder.change_settings(buckets_made=True)
    assert folder.settings() == FolderSettings(as_of="1998-06-30", buckets_made=True)
    folder.change_settings(as_of=parse_as_of("now"))
    assert folder.settings().as_of is None
    with pytest.raises(Terminal, match="yesterday"):
        parse_as_of("yesterday")


def test_the_business_s_zone_is_kept(tmp_path: Path) -> None:
    """By IANA's name; another one is refused before anything starts."""
    folder = DataFolder(tmp_path)
    folder.change_settings(time_zone=parse_time_zone("Asia/Shanghai"))
    assert folder.settings() == FolderSettings(time_zone="Asia/Shanghai")
    with pytest.raises(Terminal, match="CST"):
        parse_time_zone("CST")


def test_damaged_settings_are_an_error(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(Terminal, match=r"settings\.json cannot be read"):
        DataFolder(tmp_path).settings()


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds keys and customers' data; making it again changes nothing."""
    folder = DataFolder(tmp_path / "lake")
    folder.make()
    folder.make()
    for path in (folder.root, folder.store, folder.logs, folder.definitions):
        assert path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("text", ["[]", "{", '"secret-text"', "secret-text"])
def test_credentials_of_destinations_are_a_json_object(tmp_path: Path, text: str) -> None:
    """Anything else is told before it is put among the secrets, and not quoted; no file is no credentials."""
    folder = DataFolder(tmp_path)
    assert folder.destination_credentials() == "{}"
    folder.destinations.write_text('{"mine": {"token": "x"}}', "utf-8")
    assert folder.destination_credentials() == '{"mine": {"token": "x"}}'
    folder.destinations.write_text(text, "utf-8")
    with pytest.raises(Terminal, match=r"destinations\.json is no JSON object") as caught:
        folder.destination_credentials()
    assert "secret-text" not in str(caught.value)
