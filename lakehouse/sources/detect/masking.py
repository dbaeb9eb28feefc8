"""Shows what a value is like without saying it: every character becomes its class, punctuation stays."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

SHOWN = 40  # characters of a masked value, at most
_HAN = "CJK "


def mask(text: str) -> str:
    """Return the text with x for letters, 9 for digits and numerals, 字 for Han; marks and spaces as they are.

    Character by character, so that length and shape remain; what is longer than 40 characters ends with `…`.
    """
    shown = "".join(map(_masked, text[:SHOWN]))
    return shown + "…" if len(text) > SHOWN else shown


@lru_cache(maxsize=4096)
def _masked(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "PZS" and not _spells(character):
        return character
    if category[0] == "N":
        return "字" if character == "〇" else "9"
    name = unicodedata.name(character, "")
    return "字" if name.startswith(_HAN) else "x"  # letters, their accents, and what is unassigned


def _spells(character: str) -> bool:
    """Tell whether a symbol is a letter or digit in disguise: Ⓐ, ㊀, ™ are spelt with such."""
    return unicodedata.category(character)[0] == "S" and any(
        unicodedata.category(part)[0] in "LN" for part in unicodedata.normalize("NFKC", character)
    )
