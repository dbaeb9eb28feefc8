"""What a newcomer begins with counts as it is."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition, Terminal
from lakehouse.models import registry, unit_tests
from lakehouse.models.new_model import new_model


def test_it_is_a_model_and_has_a_test(tmp_path):
    """Right without a change."""
    assert [path.name for path in new_model(tmp_path, "marts.regulars")] == [
        "regulars.sql",
        "regulars.tests.yaml",
    ]
    models = registry.load(tmp_path)
    assert models.wrong == {}
    assert "marts.regulars" in models.by_table
    tests, wrong = unit_tests.load(tmp_path)
    assert wrong == {}
    assert len(tests["marts.regulars"].tests) == 1


def test_nothing_is_overwritten_and_no_file_is_made_that_would_be_wrong(tmp_path):
    """Of a name that no table may have."""
    new_model(tmp_path, "marts.regulars")
    with pytest.raises(Terminal, match="is there already"):
        new_model(tmp_path, "marts.regulars")
    for table in ("regulars", "ops.regulars", "marts.Regulars", "marts.a.b", "core.orders", "marts.../x"):
        with pytest.raises(BadDefinition):
            new_model(tmp_path, table)
    assert len(list(tmp_path.rglob("*.sql"))) == 1
