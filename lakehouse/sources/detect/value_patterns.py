"""Entity hints: what values look like beside personal data, such as currencies, page addresses, codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from lakehouse.sources.detect.policy import EntityHintPolicy

_CURRENCIES = frozenset(
    [
        "USD",
        "EUR",
        "GBP",
        "CNY",
        "RMB",
        "CNH",
        "JPY",
        "HKD",
        "TWD",
        "MOP",
        "SGD",
        "KRW",
        "INR",
        "AUD",
        "NZD",
        "CAD",
        "CHF",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "RUB",
        "TRY",
        "BRL",
        "MXN",
        "THB",
        "人民币",
        "美元",
        "欧元",
        "港币",
        "日元",
        "英镑",
    ]
)
_GENDERS = frozenset(
    [
        "m",
        "f",
        "male",
        "female",
        "man",
        "woman",
        "other",
        "男",
        "女",
        "男性",
        "女性",
        "未知",
        "先生",
        "女士",
        "保密",
    ]
)
_URL = re.compile(r"(?:https?://)?(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?:/\S*)?", re.IGNORECASE)
_CARD = re.compile(r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}(?:[ -]?\d{1,3})?")
_CLOCK = re.compile(r"\d{1,3}:[0-5]\d:[0-5]\d")  # how long something took
_COUNTRY = re.compile(r"[A-Z]{2}")  # ISO 3166-1 alpha-2
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")  # ISO 3166-2
_WHITESPACE_OR_HAN = re.compile(r"[\s\u3400-\u9fff]")
_NINE: Final = 9  # Luhn's formula adds the digits of what is above it


class EntityHint(NamedTuple):
    """What a value must fit, and the least share of a column's values (0 to 1) that must."""

    fits: Callable[[str], bool]
    least_share: float


def entity_hints(values: Mapping[str, int]) -> tuple[str, ...]:
    """Return what most of a column's values look like; `values` says how often each occurs."""
    total = sum(values.values())
    hints = []
    for name, hint in ENTITY_HINTS.items():
        fitting = sum(count for value, count in values.items() if hint.fits(value))
        if (fitting / total if total else 0.0) >= hint.least_share:
            hints.append(name)
    return tuple(hints)


def is_bank_card(text: str) -> bool:
    """Tell whether the text is like the number of a bank card: 16 to 19 digits and the check digit of Luhn."""
    if not _CARD.fullmatch(text):
        return False
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [2 * digit - _NINE if 2 * digit > _NINE else 2 * digit for digit in digits[-2::-2]]
    return sum(doubled) % 10 == -sum(digits[-1::-2]) % 10


def _is_url(text: str) -> bool:
    if "." not in text or "@" in text or not any(sign.isalpha() for sign in text):
        return False
    return _URL.fullmatch(text) is not None


def _is_code(text: str) -> bool:
    """Tell whether the text is like the code of something: one word with a digit in it, or one in capitals."""
    if len(text) > EntityHintPolicy.most_code_characters or _WHITESPACE_OR_HAN.search(text):
        return False
    return text.isupper() or any(sign.isdigit() for sign in text)


ENTITY_HINTS: dict[str, EntityHint] = {
    "currency": EntityHint(lambda text: text.upper() in _CURRENCIES, EntityHintPolicy.currency),
    "gender": EntityHint(lambda text: text.lower() in _GENDERS, EntityHintPolicy.gender),
    "url": EntityHint(_is_url, EntityHintPolicy.url),
    "bank_card": EntityHint(is_bank_card, EntityHintPolicy.bank_card),
    "code": EntityHint(_is_code, EntityHintPolicy.code),
    "clock": EntityHint(lambda text: bool(_CLOCK.fullmatch(text)), EntityHintPolicy.clock),
    "country_code": EntityHint(lambda text: bool(_COUNTRY.fullmatch(text)), EntityHintPolicy.country_code),
    "region_code": EntityHint(lambda text: bool(_REGION.fullmatch(text)), EntityHintPolicy.region_code),
}
