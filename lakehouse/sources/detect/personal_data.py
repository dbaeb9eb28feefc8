"""What looks personal: for each kind a judge of one value, and how many of a column's values must agree.

Values are judged alone; `strict` is what is asked where the header gives no hint, since an order number of eleven
digits may look like a mobile. What is personal by this is a suspicion to look at, what is not is no promise.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from lakehouse.sources.detect.dates import moment, serial

_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}",
    re.ASCII | re.IGNORECASE,
)
_EMAIL_LENGTH = 254
_MOBILE = re.compile(r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", re.ASCII)
_MOBILE_INSIDE = re.compile(r"(?<![\w.])(?:\+?86[ -]?)?1[3-9]\d{9}(?![\w.])", re.ASCII)
_PHONE_LIKE = re.compile(r"\+?[\d\s().\-/]{7,24}(?:\s*(?:x|ext\.?)\s*\d{1,6})?", re.ASCII | re.IGNORECASE)
_OPENS = ("+", "(", "＋", "（")
_DRESSED = re.compile(r"^\+|^\(\d|\d[ -]\d{3,4}[ -]\d{4}$")
_DAMAGED = re.compile(r"(?P<m>[1-9](?:[.,]\d{1,14})?)E\+?(?P<e>\d{1,2})", re.ASCII | re.IGNORECASE)
_CN_ID = re.compile(
    r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]", re.ASCII
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_WECHAT = re.compile(r"o[A-Za-z0-9_-]{27}", re.ASCII)
_WXID = re.compile(r"wxid_[a-z0-9]{10,20}", re.ASCII)
_HAN_NAME = re.compile(
    r"[\u3400-\u9fff]{2,4}(?:·[\u3400-\u9fff]{1,6})*|[\u3400-\u9fff]{1,8}·[\u3400-\u9fff]{1,8}"
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方"
    "白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧阳司马諸葛張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蕭葉蘇盧鍾譚陸範賈韋鄒龍賀顧龔萬錢嚴"
)
_LATIN_NAME = re.compile(r"[^\W\d_][^\W\d_.'’\-]*(?:[ '’.\-,]{1,2}[^\W\d_][^\W\d_.'’\-]*){0,4}\.?")
_PLACES = re.compile(r"[省市区縣县镇乡村路街巷弄号號室楼樓栋座幢]")
_STREET = re.compile(
    r"\d+[a-z]?,? (?:[\w.'’-]+ ){0,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|"
    r"place|pl|square|sq|terrace|highway|hwy|parkway|circle)\b|\bp\.?o\.? box \d+|"
    r"[\w.-]*(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee) \d+|\brue \w+|\b(?:via|calle) \w+",
    re.IGNORECASE,
)
_OLDEST = 1900


class Kind(NamedTuple):
    """A kind of personal data. `hinted`, `alone`: the least share of values that fit, with a hint and without one.

    None is said without a hint where `alone` is None.
    """

    fits: Callable[[str], bool]
    hinted: float
    alone: float | None


def email(text: str) -> bool:
    """Tell whether the text is an e-mail address; of those out of the ordinary email-validator decides."""
    if "@" not in text and "＠" not in text:
        return False
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) > _EMAIL_LENGTH:
        return False
    if _EMAIL.fullmatch(plain):
        return True
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 50 ms, only when used

    try:
        validate_email(plain, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def email_inside(text: str) -> bool:
    """Tell whether an e-mail address stands within other text."""
    return "@" in text and not email(text) and _EMAIL.search(text) is not None


def phone(text: str) -> bool:
    """Tell whether the text is a phone number, in whatever format; for a column whose header says so.

    Numbers without a country code are Chinese where they look like a mobile or a Chinese land line, else American.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if _MOBILE.fullmatch(plain):
        return True
    if not _PHONE_LIKE.fullmatch(plain) or moment(plain):
        return False
    import phonenumbers  # noqa: PLC0415 - 50 ms, only when used

    for region in ("CN", "US"):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(plain, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False


def evident_phone(text: str) -> bool:
    """Tell whether a value by itself says that it is a phone number: a Chinese mobile, or one with + ( or groups."""
    if len(text) > 40 or not (text[:1].isdigit() or text.startswith(_OPENS)):  # noqa: PLR2004 - no number is longer
        return False
    plain = unicodedata.normalize("NFKC", text).strip()
    return _MOBILE.fullmatch(plain) is not None or (_DRESSED.search(plain) is not None and phone(plain))


def phone_inside(text: str) -> bool:
    """Tell whether a Chinese mobile stands within other text."""
    found = _MOBILE_INSIDE.search(text)
    return found is not None and not _MOBILE.fullmatch(text) and any(sign.isalpha() for sign in text)


def damaged_phone(text: str) -> bool:
    """Tell whether the text is what a spreadsheet leaves of a phone number: `1.38E+10`. Its digits are lost."""
    found = _DAMAGED.fullmatch(text)
    return found is not None and 9 <= int(found["e"]) <= 14  # noqa: PLR2004 - ten to fifteen digits


def damaged_mobile(text: str) -> bool:
    """Tell whether the text is what a spreadsheet leaves of a Chinese mobile."""
    found = _DAMAGED.fullmatch(text)
    if found is None:
        return False
    mantissa = found["m"].replace(",", ".")
    return (found["e"] == "10" and "1.3" <= mantissa < "2") or (
        found["e"] == "12" and mantissa.startswith("8.61")
    )


def chinese_id(text: str) -> bool:
    """Tell whether the text is a Chinese identity number of 18 places: a region, a day of birth, a right checksum."""
    if not _CN_ID.fullmatch(text) or moment(text[6:14]) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == text[-1].upper()


def ip(text: str) -> bool:
    """Tell whether the text is an IP address, version 4 or 6."""
    if text.count(".") != 3 and text.count(":") < 2:  # noqa: PLR2004 - as addresses have
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def wechat_id(text: str) -> bool:
    """Tell whether the text is like WeChat's openid or unionid (28 signs from `o` on), or a `wxid_…`."""
    if _WXID.fullmatch(text):
        return True
    mixed = any(sign.isupper() for sign in text) and any(sign.islower() for sign in text[1:])
    return mixed and _WECHAT.fullmatch(text) is not None


def birthday(text: str) -> bool:
    """Tell whether the text is a day on which somebody alive may be born."""
    found = moment(text) or serial(text)
    return found is not None and _OLDEST <= found.year <= datetime.now(UTC).year


def name(text: str) -> bool:
    """Tell whether the text may be a person's name: two to four Han, or up to five words without digits."""
    if _HAN.search(text):
        return _HAN_NAME.fullmatch(text) is not None
    return len(text) <= 60 and _LATIN_NAME.fullmatch(text) is not None  # noqa: PLR2004


def chinese_name(text: str) -> bool:
    """Tell whether the text may be a Chinese name: two to four Han that begin with a common surname."""
    return text[:1] in _SURNAMES and _HAN_NAME.fullmatch(text) is not None and not _PLACES.search(text[1:])


def address(text: str) -> bool:
    """Tell whether the text is like a postal address, Chinese or Western: street and number."""
    if len(text) > 300:  # noqa: PLR2004 - a letter, not its envelope
        return False
    if not text.isascii() and len(set(_PLACES.findall(text))) >= 2:  # noqa: PLR2004
        return True
    return " " in text and _STREET.search(text) is not None


# Judges with a hint and without; a share of 0 stands for a single value.
KINDS: dict[str, tuple[Kind, ...]] = {
    "email": (Kind(email, 0.0, 0.0),),
    "email_inside_text": (Kind(email_inside, 0.0, 0.0),),
    "phone": (Kind(phone, 0.0, None), Kind(evident_phone, 0.0, 0.5)),
    "phone_inside_text": (Kind(phone_inside, 0.0, 0.0),),
    "damaged_phone": (Kind(damaged_phone, 0.0, None), Kind(damaged_mobile, 0.0, 0.01)),
    "chinese_id": (Kind(chinese_id, 0.0, 0.0),),
    "name": (Kind(name, 0.5, None), Kind(chinese_name, 0.5, 0.8)),
    "address": (Kind(address, 0.0, 0.1),),
    "ip": (Kind(ip, 0.0, 0.01),),
    "wechat_id": (Kind(wechat_id, 0.0, 0.01),),
    "birthday": (Kind(birthday, 0.5, None),),
}
HINT_OF = {"damaged_phone": "phone", "phone_inside_text": "phone", "email_inside_text": "email"}
