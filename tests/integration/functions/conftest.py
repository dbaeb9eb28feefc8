"""The services of a stack, without its functions: these run in sandboxes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakehouse.local.stack import Stack
from tests.support.sandboxes import Sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxes]:
    """A stack whose functions a test runs, each in a process under AWS's runtime client."""
    folder = tmp_path_factory.mktemp("sandboxes")
    with Stack(folder / "stack", as_of="2026-01-31") as stack:
        stack.start()
        yield Sandboxes(stack, folder)
