"""Command lines that people can copy from a message."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from lakehouse.command_line import command_line


@pytest.mark.parametrize(
    ("command", "data", "typed"),
    [
        ("up", ".lakehouse", "lakehouse up"),
        ("up", "./.lakehouse", "lakehouse up"),
        ("up", "mine", "lakehouse up --data mine"),
        ("put SOURCE/ENTITY FILE", "/a/b", "lakehouse put SOURCE/ENTITY FILE --data /a/b"),
        ("down", "my data", "lakehouse down --data 'my data'"),
        ("down", "a'b;c", """lakehouse down --data 'a'"'"'b;c'"""),
    ],
)
def test_data_is_repeated_unless_it_is_the_default(command, data, typed):
    """Quoted for a shell where it must be."""
    assert command_line(command, Path(data)) == typed
    assert shlex.split(typed)[-1] in {data, "up"}


def test_the_default_folder_is_known_by_its_absolute_path_too():
    """A stack knows its folder by that alone."""
    assert command_line("down", Path(".lakehouse").absolute()) == "lakehouse down"


def test_the_program_may_have_another_name():
    """Where `lakehouse` is not on the PATH."""
    assert command_line("up", Path("mine"), ".venv/bin/lakehouse") == ".venv/bin/lakehouse up --data mine"
