"""What a benchmark says: a figure, and how it stands to its bar."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """One line of the table; `bar` is the least (`at_least`) or the most that `value` may be, None for none."""

    what: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = True
    note: str = ""

    @property
    def missed(self) -> bool:
        """Return whether the bar is missed."""
        if self.bar is None:
            return False
        return self.value < self.bar if self.at_least else self.value > self.bar

    def as_json(self) -> dict[str, Any]:
        """Return the result with `missed`, for machines."""
        return asdict(self) | {"missed": self.missed}


def table(results: list[Result]) -> str:
    """Return the results as a Markdown table."""
    return "\n".join(["| what | value | bar | |", "|---|---|---|---|", *map(line, results)])


def line(result: Result) -> str:
    """Return a result as a line of the table."""
    bar = "–" if result.bar is None else f"{'≥' if result.at_least else '≤'} {result.bar:g}"
    note = ", ".join(word for word in ("missed" if result.missed else "", result.note) if word)
    return f"| {result.what} | {result.value:.2f} {result.unit} | {bar} | {note} |"
