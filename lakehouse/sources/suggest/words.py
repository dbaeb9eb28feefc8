"""Names of columns in their normal form, and how alike two of them are. English goes by words, Chinese by signs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[#%]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_ID = re.compile(r"(?:流水号|编号|编码|代码|号码|单号|ID|Id|id|号|码)$")
_SIGNS = {"#": "number", "%": "percent"}
_TYPO = 0.84  # of a name's letters, from which on it counts as misspelt
_SHORT = 5  # letters; shorter names are not looked at for typing errors


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """Return the table of synonyms as it stands in the file."""
    text = (files("lakehouse.sources.detect") / "synonyms.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@dataclass(frozen=True)
class Name:
    """A name's normal form: `words` of English, in their order; or `han`, Chinese with what stands between.

    `own`: what is left once the entity's own name is taken away, where it begins or ends with it.
    """

    words: tuple[str, ...] = ()
    han: str = ""

    @property
    def joined(self) -> str:
        """Return the words without spaces: `firstname` and `first name` are one."""
        return "".join(self.words)

    @property
    def empty(self) -> bool:
        """Tell whether nothing is left of the name."""
        return not (self.words or self.han)


@lru_cache(maxsize=65_536)
def name_of(text: str) -> Name:
    """Return the normal form of a header or of a synonym."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return Name(han=_chinese(plain)) if _HAN.search(plain) else Name(words=_english(plain))


def brackets(text: str) -> str:
    """Return what stands in a header's brackets, such as a unit or a currency; empty for none."""
    found = _BRACKETS.search(unicodedata.normalize("NFKC", text))
    return found[0][1:-1].strip() if found else ""


def _english(text: str) -> tuple[str, ...]:
    bare = _BRACKETS.sub(" ", text) if re.search(r"\w", _BRACKETS.sub("", text)) else text
    bare = bare.replace("'s ", " ").replace("’s ", " ")
    parts = [_SIGNS.get(part, part.lower()) for part in _PARTS.findall(bare)]
    known, fillers = vocabulary()["abbreviations"], set(vocabulary()["fillers"])
    words = [word for part in parts for word in str(known.get(part, part)).split()]
    words = [_singular(word) for word in words if word not in fillers or len(words) == 1]
    text = " ".join(words).replace("e email", "email").replace("time zone", "timezone")
    return tuple(text.split())


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word  # noqa: PLR2004


def _chinese(text: str) -> str:
    bare = "".join(_BRACKETS.sub("", text).split())
    bare = re.sub(r"[^\w]|_", "", bare)
    for said, meant in vocabulary()["same_zh"].items():
        bare = bare.replace(said, meant)
    for filler in vocabulary()["fillers_zh"]:
        bare = bare.replace(filler, "") or bare
    return _ID.sub("编号", bare)


def without(name: Name, called: tuple[Name, ...]) -> Name:
    """Return a name without the entity's own in front of it, or behind it in English: Order Status, State of order."""
    for own in called:
        if name.han and own.han and name.han.startswith(own.han) and name.han != own.han:
            return Name(han=name.han[len(own.han) :])
        size = len(own.words)
        if size and len(name.words) > size:
            if name.words[:size] == own.words:
                return Name(words=name.words[size:])
            if name.words[-size:] == own.words:
                return Name(words=name.words[:-size])
    return name


def alike(header: Name, synonym: Name) -> float:
    """Return how alike two names are: 1 for the same, 0 for nothing in common."""
    if header.han and synonym.han:
        return _alike_han(header.han, synonym.han)
    if header.words and synonym.words:
        return _alike_words(header, synonym)
    return 0.0


def _alike_han(header: str, synonym: str) -> float:
    if header == synonym:
        return 1.0
    share = min(len(header), len(synonym)) / max(len(header), len(synonym))
    if len(synonym) > 1 and synonym in header:  # the noun stands last
        return 0.5 + 0.35 * share if header.endswith(synonym) else 0.25 + 0.3 * share
    if len(header) > 1 and synonym.endswith(header):
        return 0.3 + 0.4 * share
    return 0.0


def _alike_words(header: Name, synonym: Name) -> float:
    if header.joined == synonym.joined:
        return 1.0
    have, want = set(header.words), set(synonym.words)
    share = min(len(have), len(want)) / max(len(have), len(want))
    if have == want:
        return 0.97
    if want < have:
        return 0.5 + 0.35 * share
    if have < want:
        return 0.35 + 0.35 * share
    if min(len(header.joined), len(synonym.joined)) >= _SHORT:
        ratio = _ratio(header.joined, synonym.joined)
        return 0.85 * ratio if ratio >= _TYPO else 0.0
    return 0.0


@lru_cache(maxsize=65_536)
def _ratio(one: str, other: str) -> float:
    if abs(len(one) - len(other)) > 2 or one[0] != other[0]:  # noqa: PLR2004 - letters of a typing error
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
