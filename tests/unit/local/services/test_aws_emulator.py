"""How moto is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.local.data_folder import DataFolder
from lakehouse.local.services.aws_emulator import AwsEmulator
from lakehouse.local.services.processes import Child

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_emulator_has_a_free_port_and_nothing_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the loopback; its environment has no keys and no home of the user's."""
    started: list[Any] = []
    monkeypatch.setattr(Child, "start", lambda *arguments: started.append(arguments))
    emulator = AwsEmulator(DataFolder(tmp_path))
    emulator.start()
    ((name, argv, env, cwd, log),) = started
    assert (name, cwd, log) == ("cloud", tmp_path / "run", tmp_path / "logs" / "cloud.log")
    assert argv[-4:] == ["-H", "127.0.0.1", "-p", emulator.url.rsplit(":", 1)[1]]
    assert env == {"HOME": str(tmp_path / "run"), "AWS_EC2_METADATA_DISABLED": "true"}
