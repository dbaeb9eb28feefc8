"""Deleting many files: one that fails does not stop the others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lakehouse.tables.maintenance import reachability


def test_a_file_that_cannot_be_deleted_does_not_stop_the_others():
    """One that has gone already counts as deleted; what failed is raised in the end."""
    deleted = []

    def delete(path):
        if path == "gone":
            raise FileNotFoundError(path)
        if path == "locked":
            raise PermissionError(path)
        deleted.append(path)

    table = SimpleNamespace(io=SimpleNamespace(delete=delete))
    with pytest.raises(PermissionError, match="locked"):
        reachability.delete(table, ["a", "locked", "gone", "b"])
    assert sorted(deleted) == ["a", "b"]
    reachability.delete(table, ["gone"])
