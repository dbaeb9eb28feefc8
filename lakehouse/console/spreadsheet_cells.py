"""Text that a spreadsheet would run as a formula, made harmless in CSV, and back again. Pure.

A cell that begins with `=`, `+`, `-` or `@` is run. So is what follows a separator within a text, where the program
that opens the file takes another character to part cells than the one that wrote it, and what follows blanks.
"""

from __future__ import annotations

import re
from typing import Final

# What may stand before a formula: the beginning, or what some program takes for the end of a cell; then blanks.
_BEFORE: Final = r"(^|[,;|\t\r\n\"])([^\S\t\r\n]*)"
_FORMULA: Final = (
    r"(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"  # the full-width ones, too: Excel takes them for the others
)
_PLAIN: Final = re.compile(rf"{_BEFORE}('*){_FORMULA}")
_GUARDED: Final = re.compile(rf"{_BEFORE}'('*){_FORMULA}")

RULE: Final = (
    "one ' stands before each =, +, -, @ at the beginning of a text or after , ; | tab line break quote"
)


def guarded(text: str) -> str:
    """Return a text that no spreadsheet runs: one `'` more before what begins a formula, be there some already."""
    return _PLAIN.sub(r"\1\2'\3", text)


def restored(text: str) -> str:
    """Return the text that `guarded` was given."""
    return _GUARDED.sub(r"\1\2\3", text)
