"""A command uses the stack that runs, or says how to begin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakehouse.errors import Terminal
from lakehouse.local import session as sessions
from lakehouse.local.attachment import StackInfo
from lakehouse.local.session import session


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (".lakehouse", "run `lakehouse demo`, or `lakehouse up` and put files"),
        ("mine", "run `lakehouse demo --data mine`, or `lakehouse up --data mine` and put files"),
    ],
)
def test_a_folder_without_data_says_how_to_begin_on_that_folder(
    data: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands can be copied; nothing was made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Terminal) as caught, session(Path(data), "store"):
        pass
    assert str(caught.value) == f"{data} holds no data yet: {hint}"
    assert list(tmp_path.iterdir()) == []


def test_a_running_stack_is_used_and_left_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment holds within, and the one before afterwards."""
    env = {"LAKEHOUSE_OPS_BUCKET": "of the stack", "AWS_REGION": "us-east-1"}
    info = StackInfo(1, "", "all", env, {}, {})
    monkeypatch.setattr(sessions, "attach_when_ready", lambda _data, wanted: info if wanted(info) else None)
    before = dict(os.environ)
    with session(tmp_path, "all") as settings:
        assert settings.ops_bucket == "of the stack"
    assert dict(os.environ) == before
