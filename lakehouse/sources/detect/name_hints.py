"""What a column's name, in English or Chinese, says it holds. A hint, which its values have to bear out."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

_ENGLISH = {
    "email": "email emails mail",
    "phone": "phone phones mobile cell cellphone tel telephone msisdn fax whatsapp",
    "chinese_id": "idcard idnumber identity citizenid ssn nationalid idno sfz",
    "name": "name firstname lastname fullname surname forename givenname familyname contact recipient consignee "
    "buyer receiver",
    "address": "address addr street postal shipto mailingstreet residence",
    "ip": "ip ipaddress remoteaddr clientip",
    "wechat_id": "openid unionid wechat weixin wxid",
    "birthday": "birthday birthdate birth born dob bday dateofbirth",
    "date": "date day time timestamp datetime created updated modified at on since until birthday birthdate birth "
    "born dob dt",
    "flag": "is has opt opted subscribed active enabled flag deleted consent",
}
_HAN = {
    "email": ("邮箱", "邮件", "电邮"),
    "phone": ("手机", "电话", "联系方式", "座机", "传真"),
    "chinese_id": ("身份证", "证件号"),
    "name": ("姓名", "名字", "联系人", "收货人", "收件人", "称呼", "买家", "会员名", "客户名称", "昵称"),
    "address": ("地址", "住址", "收货地"),
    "ip": ("ip",),
    "wechat_id": ("微信", "openid", "unionid"),
    "birthday": ("生日", "出生"),
    "date": ("日期", "时间", "生日", "出生", "年月日"),
    "flag": ("是否", "有无"),
}
_ENGLISH_WORDS = {kind: frozenset(words.split()) for kind, words in _ENGLISH.items()}
# Whose name it is, where it is not a person's: product_name, event name, 商品名称.
_ENTITY_WORDS = (
    "product item event company account campaign file store shop brand category table column user host domain "
    "page city country sku tag list segment source app device browser os plan method field display screen class "
    "group team channel"
)
_NAMED_ENTITY_WORDS = frozenset(_ENTITY_WORDS.split())
_CONSENT_WORDS = frozenset(("opt", "opted", "is", "has", "subscribed"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(maxsize=8192)
def hints(header: str) -> frozenset[str]:
    """Return what a header hints at: kinds of personal data, and `date`, `flag`."""
    text = unicodedata.normalize("NFKC", header)
    words = _words(text)
    kinds = {kind for kind, kind_words in _ENGLISH_WORDS.items() if words & kind_words}
    return frozenset(_without_contradictions(kinds | _han_kinds(text), words))


def _words(text: str) -> set[str]:
    """Return the English words of a header, alone, with the next one, and all in one: idcard, dateofbirth."""
    words = [word.lower() for word in _WORD.findall(text)]
    pairs = [left + right for left, right in itertools.pairwise(words)]
    return {*words, *pairs, "".join(words)}


def _han_kinds(text: str) -> set[str]:
    if text.isascii():
        return set()
    return {kind for kind, kind_words in _HAN.items() if any(word in text for word in kind_words)}


def _without_contradictions(kinds: set[str], words: set[str]) -> set[str]:
    """Return the kinds without those that other words of the header rule out."""
    if words & _NAMED_ENTITY_WORDS:
        kinds = kinds - {"name"}
    if kinds & {"email", "ip"}:  # an e-mail address is no postal one
        kinds = kinds - {"address", "name"}
    if "flag" in kinds and words & _CONSENT_WORDS:  # whether somebody wants e-mail is no e-mail address
        kinds = kinds - {"email", "phone"}
    return kinds
