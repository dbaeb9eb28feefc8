"""Names of members and sheets, where they are shown and where they are logged."""

from __future__ import annotations

import pytest

from lakehouse.sources.part_names import logged_name, told_name


@pytest.mark.parametrize("name", ["Orders 2026", "export/客户.csv", "Jan", "a.xlsx/s1"])
def test_names_are_structure(name):
    """As headers are."""
    assert told_name(name) == logged_name(name) == name


@pytest.mark.parametrize("name", ["ada@example.org", "export/ada@example.org", "13800000001"])
def test_a_log_masks_what_is_somebodys_address(name):
    """Quarantine and profiles, which hold such things anyway, do not."""
    assert told_name(name) == name
    assert not any(character.isdigit() and character != "9" for character in logged_name(name))
    assert "ada@" not in logged_name(name)


def test_a_terminal_obeys_no_name():
    """It is shown as an expression."""
    assert told_name("a\x1b[31m\n") == "'a\\x1b[31m\\n'"
