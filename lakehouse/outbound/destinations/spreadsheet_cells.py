"""Cells that a spreadsheet would run are made texts, so that they can be read back as they were."""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = "'"
# A cell that begins so is a formula; full-width signs are taken for plain ones, and blanks before them are skipped.
_RUNS: Final = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*%?")


def neutral(text: str) -> str:
    """Return a cell's text with a quote before what would be run; numbers and phones are left as they are.

    Texts that begin with a quote get one more, so that `original` gives back every text.
    """
    if text.startswith(_MARK) or (_RUNS.match(text) and not _NUMBER.fullmatch(text)):
        return _MARK + text
    return text


def original(cell: str) -> str:
    """Return the text of which `neutral` made a cell."""
    return cell.removeprefix(_MARK)
