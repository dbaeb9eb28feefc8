"""What a column's name, in English or Chinese, says it holds. A hint, which its values have to bear out."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

_WORDS = {
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
# A name that is not a person's: product_name, event name, 商品名称.
_THINGS = (
    "product item event company account campaign file store shop brand category table column user host domain "
    "page city country sku tag list segment source app device browser os plan method field display screen class "
    "group team channel"
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(maxsize=8192)
def hints(header: str) -> frozenset[str]:
    """Return what a header hints at: kinds of personal data, and `date`, `flag`."""
    text = unicodedata.normalize("NFKC", header)
    parts = [part.lower() for part in _PARTS.findall(text)]
    joined = {left + right for left, right in itertools.pairwise(parts)}
    words = {*parts, *joined, "".join(parts)}
    found = {kind for kind, listed in _WORDS.items() if words & set(listed.split())}
    found |= {
        kind for kind, listed in _HAN.items() if not text.isascii() and any(word in text for word in listed)
    }
    if "name" in found and words & set(_THINGS.split()):
        found.discard("name")
    if found & {"email", "ip"}:  # an email address is none to walk to
        found -= {"address", "name"}
    if "flag" in found and found & {"email", "phone"} and words & {"opt", "opted", "is", "has", "subscribed"}:
        found -= {"email", "phone"}
    return frozenset(found)
