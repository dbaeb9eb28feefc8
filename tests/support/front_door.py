"""The front door in this process: the local HTTP front, and the function `collect` behind it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.collect.handler import handler
from lakehouse.local.runtime.http_front import HttpFront
from lakehouse.local.stack import load_wiring
from tests.support import cloud as clouds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


@dataclass
class _Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "collect"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@contextmanager
def front_door(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """Yield the address of a front door with a store and a queue behind it; `folder` is for its wiring."""
    routes = [route for route in load_wiring(folder / "wiring").routes if "collect" in route.function.lower()]
    with clouds.cloud(monkeypatch):
        front = HttpFront(routes, lambda _, event: handler(event, _Context()))
        yield front.start()
        front.stop()
