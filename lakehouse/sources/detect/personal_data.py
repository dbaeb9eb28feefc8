"""What looks personal: for each kind a judge of one value, and how many of a column's values must fit.

Values are judged one by one. A judge is stricter where the header gives no hint, since an order number of eleven digits
may look like a mobile. What is personal by this is a suspicion to look at; what is not, may be personal still.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from lakehouse.sources.detect.dates import moment, serial_day
from lakehouse.sources.detect.policy import PersonalDataPolicy

_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}",
    re.ASCII | re.IGNORECASE,
)
_EMAIL_CHARACTERS: Final = 254  # RFC 5321: 256 with the angle brackets around it
_MOBILE = re.compile(r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", re.ASCII)
_MOBILE_IN_TEXT = re.compile(r"(?<![\w.])(?:\+?86[ -]?)?1[3-9]\d{9}(?![\w.])", re.ASCII)
_PHONE_LIKE = re.compile(r"\+?[\d\s().\-/]{7,24}(?:\s*(?:x|ext\.?)\s*\d{1,6})?", re.ASCII | re.IGNORECASE)
_PHONE_STARTS = ("+", "(", "＋", "（")
_WRITTEN_AS_PHONE = re.compile(r"^\+|^\(\d|\d[ -]\d{3,4}[ -]\d{4}$")
_DAMAGED = re.compile(r"(?P<m>[1-9](?:[.,]\d{1,14})?)E\+?(?P<e>\d{1,2})", re.ASCII | re.IGNORECASE)
_CN_ID = re.compile(
    r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]", re.ASCII
)
_CHECK_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"  # GB 11643-1999, as the weights
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
_ADDRESS_WORDS = re.compile(r"[省市区縣县镇乡村路街巷弄号號室楼樓栋座幢]")
_STREET = re.compile(
    r"\d+[a-z]?,? (?:[\w.'’-]+ ){0,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|"
    r"place|pl|square|sq|terrace|highway|hwy|parkway|circle)\b|\bp\.?o\.? box \d+|"
    r"[\w.-]*(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee) \d+|\brue \w+|\b(?:via|calle) \w+",
    re.IGNORECASE,
)


class Judge(NamedTuple):
    """What a value must fit, and the least share of a column's values (0 to 1) that must; 0: a single one is enough."""

    fits: Callable[[str], bool]
    least_share: float


class Kind(NamedTuple):
    """The judges of a kind of personal data: where the header hints at it, and where it does not.

    `alone` is None for a kind that is never said without a hint.
    """

    hinted: Judge
    alone: Judge | None


def is_email(text: str) -> bool:
    """Tell whether the text is an e-mail address; of those out of the ordinary email-validator decides."""
    if "@" not in text and "＠" not in text:
        return False
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) > _EMAIL_CHARACTERS:
        return False
    if _EMAIL.fullmatch(plain):
        return True
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 50 ms, only when used

    try:
        validate_email(plain, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def contains_email(text: str) -> bool:
    """Tell whether an e-mail address stands within other text."""
    return "@" in text and not is_email(text) and _EMAIL.search(text) is not None


def is_phone(text: str) -> bool:
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


def is_evident_phone(text: str) -> bool:
    """Tell whether a value by itself says that it is a phone number: a Chinese mobile, or one with + ( or groups."""
    if len(text) > PersonalDataPolicy.most_phone_characters:
        return False
    if not text[:1].isdigit() and not text.startswith(_PHONE_STARTS):
        return False
    plain = unicodedata.normalize("NFKC", text).strip()
    if _MOBILE.fullmatch(plain):
        return True
    return _WRITTEN_AS_PHONE.search(plain) is not None and is_phone(plain)


def contains_mobile(text: str) -> bool:
    """Tell whether a Chinese mobile stands within other text."""
    if _MOBILE.fullmatch(text) or not _MOBILE_IN_TEXT.search(text):
        return False
    return any(sign.isalpha() for sign in text)


def is_damaged_phone(text: str) -> bool:
    """Tell whether the text is what a spreadsheet leaves of a phone number: `1.38E+10`. Its digits are lost."""
    match = _DAMAGED.fullmatch(text)
    return match is not None and 9 <= int(match["e"]) <= 14  # noqa: PLR2004 - ten to fifteen digits


def is_damaged_mobile(text: str) -> bool:
    """Tell whether the text is what a spreadsheet leaves of a Chinese mobile."""
    match = _DAMAGED.fullmatch(text)
    if match is None:
        return False
    mantissa = match["m"].replace(",", ".")
    if match["e"] == "10":
        return "1.3" <= mantissa < "2"
    return match["e"] == "12" and mantissa.startswith("8.61")  # with the country's code


def is_chinese_id(text: str) -> bool:
    """Tell whether the text is a Chinese identity number of 18 places: a region, a day of birth, a right checksum."""
    if not _CN_ID.fullmatch(text) or moment(text[6:14]) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _CHECK_WEIGHTS, strict=False))
    return _CHECK_DIGITS[total % 11] == text[-1].upper()


def is_ip(text: str) -> bool:
    """Tell whether the text is an IP address, version 4 or 6."""
    if text.count(".") != 3 and text.count(":") < 2:  # noqa: PLR2004 - as addresses have
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_wechat_id(text: str) -> bool:
    """Tell whether the text is like WeChat's openid or unionid (28 signs from `o` on), or a `wxid_…`."""
    if _WXID.fullmatch(text):
        return True
    mixed = any(sign.isupper() for sign in text) and any(sign.islower() for sign in text[1:])
    return mixed and _WECHAT.fullmatch(text) is not None


def is_birthday(text: str) -> bool:
    """Tell whether the text is a day on which somebody alive may be born."""
    day = moment(text) or serial_day(text)
    return day is not None and PersonalDataPolicy.oldest_birth_year <= day.year <= datetime.now(UTC).year


def may_be_name(text: str) -> bool:
    """Tell whether the text may be a person's name: two to four Han, or up to five words without digits."""
    if _HAN.search(text):
        return _HAN_NAME.fullmatch(text) is not None
    return len(text) <= PersonalDataPolicy.most_name_characters and _LATIN_NAME.fullmatch(text) is not None


def may_be_chinese_name(text: str) -> bool:
    """Tell whether the text may be a Chinese name: two to four Han that begin with a common surname."""
    if text[:1] not in _SURNAMES or _ADDRESS_WORDS.search(text[1:]):
        return False
    return _HAN_NAME.fullmatch(text) is not None


def may_be_address(text: str) -> bool:
    """Tell whether the text is like a postal address, Chinese or Western: street and number."""
    if len(text) > PersonalDataPolicy.most_address_characters:
        return False
    words = set() if text.isascii() else set(_ADDRESS_WORDS.findall(text))
    if len(words) >= PersonalDataPolicy.least_address_words:
        return True
    return " " in text and _STREET.search(text) is not None


_EMAIL_JUDGE = Judge(is_email, PersonalDataPolicy.email)
_EMAIL_INSIDE = Judge(contains_email, PersonalDataPolicy.email_inside_text)
_MOBILE_INSIDE = Judge(contains_mobile, PersonalDataPolicy.phone_inside_text)
_CHINESE_ID = Judge(is_chinese_id, PersonalDataPolicy.chinese_id)
KINDS: dict[str, Kind] = {
    "email": Kind(hinted=_EMAIL_JUDGE, alone=_EMAIL_JUDGE),
    "email_inside_text": Kind(hinted=_EMAIL_INSIDE, alone=_EMAIL_INSIDE),
    "phone": Kind(
        hinted=Judge(is_phone, PersonalDataPolicy.phone_hinted),
        alone=Judge(is_evident_phone, PersonalDataPolicy.phone),
    ),
    "phone_inside_text": Kind(hinted=_MOBILE_INSIDE, alone=_MOBILE_INSIDE),
    "damaged_phone": Kind(
        hinted=Judge(is_damaged_phone, PersonalDataPolicy.damaged_phone_hinted),
        alone=Judge(is_damaged_mobile, PersonalDataPolicy.damaged_phone),
    ),
    "chinese_id": Kind(hinted=_CHINESE_ID, alone=_CHINESE_ID),
    "name": Kind(
        hinted=Judge(may_be_name, PersonalDataPolicy.name_hinted),
        alone=Judge(may_be_chinese_name, PersonalDataPolicy.name),
    ),
    "address": Kind(
        hinted=Judge(may_be_address, PersonalDataPolicy.address_hinted),
        alone=Judge(may_be_address, PersonalDataPolicy.address),
    ),
    "ip": Kind(hinted=Judge(is_ip, PersonalDataPolicy.ip_hinted), alone=Judge(is_ip, PersonalDataPolicy.ip)),
    "wechat_id": Kind(
        hinted=Judge(is_wechat_id, PersonalDataPolicy.wechat_id_hinted),
        alone=Judge(is_wechat_id, PersonalDataPolicy.wechat_id),
    ),
    "birthday": Kind(hinted=Judge(is_birthday, PersonalDataPolicy.birthday_hinted), alone=None),
}
# Which hint of a header counts for a kind, where it is not the kind's own.
HINT_OF = {"damaged_phone": "phone", "phone_inside_text": "phone", "email_inside_text": "email"}
