"""Shows what a value looks like without showing it: every character becomes its class, punctuation stays."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from lakehouse.sources.detect.policy import DescriptionPolicy

_HAN = "CJK "


def mask(text: str) -> str:
    """Return the text with x for letters, 9 for digits and numerals, 字 for Han; marks and spaces as they are.

    Character by character, so that length and look remain; what is longer than 40 characters ends with `…`.
    """
    most = DescriptionPolicy.masked_characters
    masked = "".join(map(_class_of, text[:most]))
    return masked + "…" if len(text) > most else masked


@lru_cache(maxsize=4096)
def _class_of(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "PZS" and not _is_letter_in_disguise(character):
        return character
    if category[0] == "N":
        return "字" if character == "〇" else "9"
    name = unicodedata.name(character, "")
    return "字" if name.startswith(_HAN) else "x"  # letters, their accents, and what is unassigned


def _is_letter_in_disguise(character: str) -> bool:
    """Tell whether a symbol stands for letters or digits: Ⓐ, ㊀, ™."""
    if unicodedata.category(character)[0] != "S":
        return False
    plain = unicodedata.normalize("NFKC", character)
    return any(unicodedata.category(part)[0] in "LN" for part in plain)
