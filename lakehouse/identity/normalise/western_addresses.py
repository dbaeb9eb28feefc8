"""Addresses in Western letters: street number, street, unit, place and postcode."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

from lakehouse.identity.normalise.address_form import NO_ADDRESS, PostalAddress
from lakehouse.identity.normalise.policy import AddressPolicy

_ACCENTS: Final = re.compile(r"[\u0300-\u036f]")
_POSTCODE: Final = re.compile(
    r"\b(?:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d|\d{4} ?[a-z]{2}\b|\d{5}-\d{4}|\d{4,6})\s*$"
)
_FIRST_POSTCODE: Final = re.compile(r"^(?:[a-z]{1,2}-)?(\d{4,5})\s+(?=[a-z])")
_UNIT: Final = re.compile(
    r"(?:^|[\s,])(?:#\s*|(?:{words})\b\.?\s*#?\s*)([a-z]?\d+[a-z]?|[a-z])\b".replace(
        "{words}", "apt|apartment|unit|suite|ste|flat|room|rm"
    )
)
_DIGIT: Final = re.compile(r"\d")
_NUMBER: Final = r"\d{1,6}(?:\s?[a-z])?(?![a-z\d])(?:\s?-\s?\d{1,6}[a-z]?)?"
_BEFORE: Final = re.compile(rf"^(?:no\.?\s*)?(?:(\d+[a-z]?)\s*/\s*)?({_NUMBER})[\s,]+(?=\S*[a-z])")
_BEHIND: Final = re.compile(rf"(?<=[a-z.])\s+({_NUMBER})$")


def western_address(text: str) -> PostalAddress:
    """Return the parts of an address that is written on one line or several; what cannot be told is ''.

    The street is the first part, between commas, that holds a number, else one that is called a street, else the first
    one; words such as Street, Str. and St are one. `5/12 High St` and `Unit 5, 12 High Street` are alike.
    """
    folded = unicodedata.normalize("NFKD", text[: AddressPolicy.longest_address]).casefold()
    plain = _ACCENTS.sub("", folded).replace("\n", ",")
    unit, plain = _taken(_UNIT, plain)
    parts = [part.strip(" .") for part in plain.split(",") if part.strip(" .")]
    if not parts:
        return NO_ADDRESS
    at = _street_part(parts)
    number, street, flat = _street(parts[at])
    postcode, places = "", []
    for part in parts[at + 1 :]:
        found, rest = _postcode(part)
        postcode = postcode or found
        places.append(rest)
    return PostalAddress(
        street=street,
        number=number,
        unit=unit or flat,
        estate=" ".join(map(_folded_words, parts[:at])),
        locality=_folded_words(next(filter(None, places), "")),
        postcode=postcode.replace(" ", ""),
    )


def _street_part(parts: list[str]) -> int:
    """Return the place of the part that holds the street."""
    for at, part in enumerate(parts):
        if _DIGIT.search(part) and not _only_postcode(part):
            return at
    kinds = set(_forms().values())
    called = (at for at, part in enumerate(parts) if not kinds.isdisjoint(_folded_words(part).split()))
    return next(called, 0)


def _street(part: str) -> tuple[str, str, str]:
    """Return number, street and flat of the part that holds the street."""
    found = _BEFORE.match(part)
    if found:
        return _squeezed(found.group(2)), _folded_words(part[found.end() :]), found.group(1) or ""
    found = _BEHIND.search(part)
    if found:
        return _squeezed(found.group(1)), _folded_words(part[: found.start()]), ""
    return "", _folded_words(part), ""


def _postcode(part: str) -> tuple[str, str]:
    """Return the postcode at one end of a part, and the rest of it."""
    found = _FIRST_POSTCODE.match(part)
    if found:
        return found.group(1), part[found.end() :]
    postcode, rest = _taken(_POSTCODE, part)
    return postcode, rest


def _only_postcode(part: str) -> bool:
    return bool(_POSTCODE.search(part)) and not _BEFORE.match(part)


def _taken(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """Return what a pattern finds in a text, its last group if it has one, and the text without it."""
    found = pattern.search(text)
    if not found:
        return "", text
    return found.group(found.re.groups).strip(), f"{text[: found.start()]} {text[found.end() :]}".strip()


def _squeezed(number: str) -> str:
    return re.sub(r"\s", "", number)


def _folded_words(text: str) -> str:
    words = re.sub(r"[^\w]+", " ", text.replace("'", "")).split()
    return " ".join(_forms().get(word, _suffixed(word)) for word in words)


def _suffixed(word: str) -> str:
    """Return a German street without the ending that is written in three ways: Hauptstraße, Hauptstr."""
    for ending in ("strasse", "str"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return f"{word.removesuffix(ending)} st"
    return word


@cache
def _forms() -> dict[str, str]:
    """Return the short form of each word that names a kind of street."""
    text = (files("lakehouse.identity.normalise") / "western_words.csv").read_text("utf-8")
    return {row["text"]: row["form"] for row in csv.DictReader(text.splitlines())}
