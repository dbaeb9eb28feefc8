"""A stack for one command: the one that runs, or one started for it and stopped after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lakehouse import settings
from lakehouse.command_line import command_line
from lakehouse.errors import Terminal
from lakehouse.local.attachment import attach_when_ready
from lakehouse.local.environment import activate
from lakehouse.local.folder_lock import FolderInUse, reading
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from lakehouse.local.attachment import StackInfo


@contextmanager
def session(data: Path, services: Literal["all", "store"], *, must_exist: bool = True) -> Iterator[Settings]:
    """Yield the settings of a stack on `data`; what was started for it is stopped at the end.

    A stack that is starting, or another command that holds the folder for a moment, is waited for. Raises `Terminal`
    when the folder holds no stack's data and `must_exist`.
    """
    with ExitStack() as steps:
        if not _use_running(data, services, steps):
            if must_exist and not (data / "store").is_dir():
                demo, up = command_line("demo", data), command_line("up", data)
                raise Terminal(f"{data} holds no data yet: run `{demo}`, or `{up}` and put files")
            _start(data, services, steps)
        yield settings.current()


def _use_running(data: Path, services: Literal["all", "store"], steps: ExitStack) -> bool:
    """Use the stack that runs, if it has the services; return whether it is used."""

    def has_services(info: StackInfo) -> bool:
        return services == "store" or info.services == "all"

    info = attach_when_ready(data, wanted=has_services)
    if info is None or not has_services(info):
        return False
    steps.enter_context(reading(data))
    steps.callback(activate(info.env))
    return True


def _start(data: Path, services: Literal["all", "store"], steps: ExitStack) -> None:
    """Start a stack for this command alone; where another command was first, use its."""
    from lakehouse.local.stack import Stack  # noqa: PLC0415 - attaching needs none of it

    stack = steps.enter_context(Stack(data))
    try:
        stack.start(services, wait_seconds=0)
    except FolderInUse:
        if not _use_running(data, services, steps):
            raise
