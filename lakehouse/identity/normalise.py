"""Normal forms of identifiers, so that two spellings of one identifier are equal text.

Every distinct value passes here once. The plain spellings (`PLAIN_EMAIL`, a Chinese mobile) are settled by
`sql/values.sql` with the patterns of this module; whatever is unusual is judged by email-validator and
phonenumbers. Tests hold both ways to the same answers.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lakehouse.identity.policy import NormalisePolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# White space that hangs around copied values, with the invisible characters that spreadsheets leave.
BLANKS = " \t\r\n\f\v\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"

# E-mails that need no library: plain ASCII, dot-atom, a domain of letters. Shorter than 64 characters, so no
# label is too long; '--' and special-use domains go the long way.
PLAIN_EMAIL = (
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
PLAIN_EMAIL_LENGTH: Final = 64  # below RFC 1035's longest label

_EMAIL_LENGTH: Final = 254  # RFC 5321, with errata 1690 of RFC 3696

# A Chinese mobile as people write it: 11 digits, or grouped 3-4-4. Other groupings are read as American,
# since 1-380-555-0100 has eleven digits too.
CN_MOBILE_SHAPE = r"(?:\+86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
_CN_GUESS = re.compile(r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.ASCII | re.IGNORECASE)
_DEFAULT_REGION = "US"

# What people and programs write when they have nothing to write. Compared in lower case: with a whole id, and
# with what stands before the @ of an e-mail.
PLACEHOLDERS = (
    *("-", "--", "-1", "n/a", "#n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "no"),
    *("anonymous", "guest", "test", "true", "false", "[object object]", "无", "暂无", "匿名", "测试"),
    *("noemail", "no-email", "no.email", "noreply", "no-reply", "donotreply", "do-not-reply", "nobody"),
)
PLACEHOLDER_ID = r"[0-]+"  # zeros, also as an empty UUID
# Eight equal or eight counting digits, a number that counts from its country code on, and the number that
# China Mobile prints on its own samples.
PLACEHOLDER_PHONE = (
    "(?:" + "|".join(f"{digit}{{8}}" for digit in range(10)) + r"|12345678|^\+1234567|^\+8613800138000$)"
)


def email(value: str) -> str | None:
    """Return the e-mail address in lower case with an ASCII domain, or None if it is no address.

    NFKC first, so that full-width letters and `＠` count as typed. Reserved domains (`example.com`, `.test`)
    pass; nothing is looked up.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 50 ms, only when used

    text = _nfkc_lower(value.strip(BLANKS)[: NormalisePolicy.longest_text]).strip(BLANKS)
    if len(text) > _EMAIL_LENGTH:  # before the library walks through a megabyte that someone pasted
        return None
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{valid.local_part}@{valid.ascii_domain}"


def phone(value: str, region: str | None = None) -> str | None:
    """Return the phone number as E.164 (`;ext=` follows an extension, as in RFC 3966), or None if not valid.

    `region` (ISO 3166 alpha-2) says whose national format it is; without a known one, what looks like a
    Chinese mobile is Chinese and the rest American. What a spreadsheet has rounded (`1.38E+10`) is lost.
    """
    import phonenumbers  # noqa: PLC0415 - 50 ms, only when used

    text = unicodedata.normalize("NFKC", value).strip(BLANKS)
    if _SCIENTIFIC.fullmatch(text):
        return None
    country = (region or "").strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        country = "CN" if _CN_GUESS.fullmatch(text) else _DEFAULT_REGION
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


def unusual(values: Iterable[tuple[int, str, str, str]]) -> Iterator[tuple[int, str]]:
    """Yield (value_id, normal form) of the valid ones among (value_id, type, value, region)."""
    for value_id, kind, value, region in values:
        normal = email(value) if kind == "email" else phone(value, region)
        if normal is not None:
            yield value_id, normal


@lru_cache(maxsize=1)
def plain_patterns() -> dict[str, Any]:
    """Return the bound values of `sql/values.sql`: what it may settle without a library."""
    import email_validator  # noqa: PLC0415 - 50 ms, only when used
    import phonenumbers  # noqa: PLC0415 - 50 ms, only when used

    china = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    if china is None or china.mobile is None:  # never in a whole phonenumbers package
        raise LookupError("phonenumbers has no metadata of CN; reinstall it")
    return {
        "plain_email": PLAIN_EMAIL,
        "plain_email_length": PLAIN_EMAIL_LENGTH,
        "special_domains": list(email_validator.SPECIAL_USE_DOMAIN_NAMES),
        "cn_mobile_shape": CN_MOBILE_SHAPE,
        "cn_mobile": china.mobile.national_number_pattern,
    }


def placeholder_patterns() -> dict[str, Any]:
    """Return the bound values of `sql/normal.sql`: what is written where there is nothing to write."""
    return {
        "placeholders": list(PLACEHOLDERS),
        "placeholder_id": PLACEHOLDER_ID,
        "placeholder_phone": PLACEHOLDER_PHONE,
    }


def _nfkc_lower(text: str) -> str:
    """Return the text in NFKC and lower case; twice, since lowering may undo the normal form."""
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).lower()
    return unicodedata.normalize("NFKC", text)
