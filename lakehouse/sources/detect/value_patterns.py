"""What values look like beside personal data: currencies, addresses of pages, codes; and bank cards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

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
_LEAST = 0.5  # of the values; of bank cards, ids with a check digit among them are told from nine tenths on
_NINE = 9
_CODE = 40  # characters, at most
_SPACED = re.compile(r"[\s\u3400-\u9fff]")


def _url(text: str) -> bool:
    return (
        "." in text
        and "@" not in text
        and any(sign.isalpha() for sign in text)
        and bool(_URL.fullmatch(text))
    )


def bank_card(text: str) -> bool:
    """Tell whether the text is like the number of a bank card: 16 to 19 digits and the check digit of Luhn."""
    if not _CARD.fullmatch(text):
        return False
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [2 * digit - _NINE if 2 * digit > _NINE else 2 * digit for digit in digits[-2::-2]]
    return sum(doubled) % 10 == -sum(digits[-1::-2]) % 10


def _code(text: str) -> bool:
    """Tell whether the text is like the code of something: one word with a digit in it, or one in capitals."""
    return (
        len(text) <= _CODE and not _SPACED.search(text) and (any(s.isdigit() for s in text) or text.isupper())
    )


THINGS: dict[str, tuple[Callable[[str], bool], float]] = {
    "currency": (lambda text: text.upper() in _CURRENCIES, _LEAST),
    "gender": (lambda text: text.lower() in _GENDERS, 0.9),
    "url": (_url, _LEAST),
    "bank_card": (bank_card, 0.9),
    "code": (_code, 0.8),
    "clock": (lambda text: bool(_CLOCK.fullmatch(text)), 0.9),
    "country_code": (lambda text: bool(_COUNTRY.fullmatch(text)), 0.9),
    "region_code": (lambda text: bool(_REGION.fullmatch(text)), 0.8),
}


def things(values: Mapping[str, int]) -> tuple[str, ...]:
    """Return what a column's values, with how often each occurs, are for the most part."""
    said = sum(values.values())
    found = []
    for kind, (fits, least) in THINGS.items():
        share = sum(count for value, count in values.items() if fits(value)) / said if said else 0.0
        if share >= least:
            found.append(kind)
    return tuple(found)
