"""A stack for one command: the one that runs, or one started for it and stopped after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lakehouse import settings
from lakehouse.command_line import command_line
from lakehouse.errors import Terminal
from lakehouse.local.attachment import attach
from lakehouse.local.environment import activate
from lakehouse.settings import Settings


@contextmanager
def session(data: Path, services: Literal["all", "store"], *, must_exist: bool = True) -> Iterator[Settings]:
    """Yield the settings of a stack on `data`; what was started for it is stopped at the end.

    Raises `Terminal` when the folder holds no stack's data and `must_exist`.
    """
    info = attach(data)
    if info is not None and (services == "store" or info.services == "all"):
        undo = activate(info.env)
        try:
            yield settings.current()
        finally:
            undo()
        return
    if must_exist and not (data / "store").is_dir():
        demo, up = command_line("demo", data), command_line("up", data)
        raise Terminal(f"{data} holds no data yet: run `{demo}`, or `{up}` and put files")
    from lakehouse.local.stack import Stack  # noqa: PLC0415 - attaching needs none of it

    with Stack(data) as stack:
        stack.start(services)
        yield settings.current()
