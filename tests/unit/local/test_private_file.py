"""Files that hold keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lakehouse.local.private_file import write_private

if TYPE_CHECKING:
    from pathlib import Path


def test_a_private_file_is_for_its_owner_alone_and_replaced_as_one(tmp_path: Path) -> None:
    """No draft stays beside it."""
    path = tmp_path / "keys.json"
    for value in ({"a": 1}, {"名": "b"}):
        write_private(path, value)
        assert json.loads(path.read_text("utf-8")) == value
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
