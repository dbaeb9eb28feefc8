"""A function made of source text, for rooms that call one."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from lakehouse.local.runtime.sandbox import Invoker
from lakehouse.local.wiring.resources import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PACKAGE = "runner_functions"


@pytest.fixture
def a_function(tmp_path: Path) -> Iterator[Callable[[str], Invoker]]:
    """Return a way to make an invoker with one function `f` of given source; its time-out is a second."""
    folder = tmp_path / _PACKAGE
    folder.mkdir()

    def make(source: str) -> Invoker:
        (folder / "f.py").write_text(textwrap.dedent(source), "utf-8")
        return Invoker({"f": Function("f", f"{_PACKAGE}.f", 256, 1, "Zip", {})})

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        yield make
    for name in [n for n in sys.modules if n.startswith(_PACKAGE)]:
        del sys.modules[name]
