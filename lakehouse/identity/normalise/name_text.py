"""The text of a name's field: folded, without what is no letter, and the words that a table knows of."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Final

from lakehouse.identity.normalise.policy import NamePolicy

_SEVERAL: Final = re.compile(r"[/&+、;；|]")
_ASIDE: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]|（[^）]*）|【[^】]*】|<[^>]*>")
_DIGITS: Final = re.compile(r"\d+")
_ACCENTS: Final = re.compile(r"[\u0300-\u036f]")


class _KeptCharacters(dict[int, str]):
    """What becomes of each character of a name: letters, marks and digits stay, the rest parts words or goes."""

    def __missing__(self, code: int) -> str:
        character, category = chr(code), unicodedata.category(chr(code))
        kept = character if category[0] in "LMN" else "" if category == "Cf" else " "
        return self.setdefault(code, kept)


_KEPT: Final = _KeptCharacters(
    {
        ord(a): b
        for a, b in zip("øłđı,·・•'’‘`´", ("o", "l", "d", "i", ",", "·", "·", "·", *[""] * 5), strict=True)
    }
    | {ord("æ"): "ae", ord("œ"): "oe"}
)


def plain_name(text: str) -> str:
    """Return a field in lower case without accents, controls, emoji and asides; '' if it names nobody or several."""
    if len(text) > NamePolicy.longest_name or _SEVERAL.search(text):
        return ""
    folded = unicodedata.normalize("NFKC", _ASIDE.sub(" ", unicodedata.normalize("NFKC", text))).casefold()
    if not folded.isascii():
        folded = _ACCENTS.sub("", unicodedata.normalize("NFD", folded))
    plain = " ".join(unicodedata.normalize("NFC", folded).translate(_KEPT).split()).strip(",· ")
    lettered = " ".join(_DIGITS.sub(" ", plain).replace(",", " ").split())
    return "" if not lettered or lettered in word_table()["placeholder"] else plain


def name_words(plain: str) -> list[str]:
    """Return the words that may be of a name: what holds a digit is an account's."""
    words = plain.replace(",", " ").replace("·", " ").split()
    return [word for word in words if not any(character.isdigit() for character in word)]


@cache
def word_table() -> dict[str, dict[str, str]]:
    """Return the words of `name_words.csv` by their kind, each with what it says: a gender, or which generation."""
    text = (files("lakehouse.identity.normalise") / "name_words.csv").read_text("utf-8")
    table: dict[str, dict[str, str]] = defaultdict(dict)
    for row in csv.DictReader(text.splitlines()):
        word = _ACCENTS.sub("", unicodedata.normalize("NFD", row["text"]))
        table[row["kind"]][word] = row["says"]
    return table
