"""Command lines as messages name them for people to type."""

from __future__ import annotations

import shlex
from pathlib import Path

DEFAULT_DATA = Path(".lakehouse")


def command_line(command: str, data: Path, program: str = "lakehouse") -> str:
    """Return how to type a command that takes `--data`, on the data folder at hand.

    `command` is its name with its arguments (`up`, `put SOURCE/ENTITY FILE`). `--data` is repeated unless the folder
    is the default one: without it the command would look at another stack.
    """
    typed = f"{program} {command}"
    if data.absolute() == DEFAULT_DATA.absolute():
        return typed
    return f"{typed} --data {shlex.quote(str(data))}"
