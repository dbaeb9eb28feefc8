"""The tunable numbers of what people see in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class TerminalPolicy(Policy):
    """How much a terminal shows."""

    rows_shown: Annotated[int, "rows of an answer"] = 100
    refusals_shown: Annotated[int, "reasons why files were not landed"] = 20
    lines_a_cell: Annotated[int, "lines that a long text in a table may be folded into"] = 8
    rows_turned: Annotated[int, "rows of a table that is too wide and whose rows become columns, at most"] = 4


@dataclass(frozen=True)
class CallPolicy(Policy):
    """Which function calls `lakehouse up` prints a line of."""

    short_seconds: Annotated[float, "a stage's call that took no longer may have put itself off"] = 2.0
    fold_seconds: Annotated[float, "time after a stage's line in which its short calls are counted only"] = (
        60.0
    )
