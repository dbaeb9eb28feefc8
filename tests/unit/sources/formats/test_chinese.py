"""How much speaks for Chinese: common characters, more of them than of others, and names that a mapping expects."""

from __future__ import annotations

import pytest

from lakehouse.sources.formats.chinese import encoding_by_names, is_chinese, may_be_chinese
from lakehouse.sources.formats.policy import ChinesePolicy


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("王小明上海李", False),  # six
        ("王小明上海李北", True),  # seven
        ("王小明上海李王李王李王李王", False),  # a character that comes again says nothing new
        ("王小明上海李北琥珀", False),  # two that are not common
        ("王小明上海李北京市琥珀", True),
        ("，。：（）￥" * 9, False),  # signs that Korean and Japanese write alike
    ],
)
def test_different_common_characters_are_counted(text, chinese):
    """Those that are not common count against them."""
    assert is_chinese(text.encode("gb18030")) is chinese
    assert ChinesePolicy.evidence == 7


def test_many_different_characters_do_not_speak_against_it():
    """A long text holds more rare ones than there are common ones; its first ones are counted."""
    rare = "".join(
        chr(code) for code in range(0x4E00, 0x9FA5) if b"\xb0" <= chr(code).encode("gb18030")[:1] <= b"\xd7"
    )
    common = "客户大多住在附近下班以后顺路进来看看店员记下他们买了什么喜欢什么颜色什么时候再来到了春天这些记录已经写满"
    text = (common + rare[:2_000]).encode("gb18030")
    assert is_chinese(text)


@pytest.mark.parametrize(("body", "shape"), [
    ("王小明".encode("gb18030"), True), ("김철수".encode("euc-kr"), True), ("Müller".encode("cp1252"), False),
    ("東京都".encode("shift_jis"), False), (b"abc", False), ("вода".encode("cp1251"), False),
])  # fmt: skip
def test_what_speaks_against_it(body, shape):
    """Characters of other regions, and broken ones; Korean is written with the same bytes."""
    assert may_be_chinese(body) is shape
    assert not is_chinese(body)


def test_names_in_a_header_tell_encodings_of_several_bytes():
    """Four letters at least; a name that an encoding cannot write is in no window."""
    names = ["id", "姓名", "手机", "😀😀😀😀"]
    assert encoding_by_names("id,姓名,手机".encode("gb18030"), names) == "gb18030"
    assert encoding_by_names("id,姓名".encode("gb18030"), names) is None
    assert encoding_by_names("id,姓名,手机".encode("gb18030"), ["id"]) is None
    assert (
        encoding_by_names("Größe,Straße,Länge,Öl".encode("cp1252"), ["Größe", "Straße", "Länge", "Öl"])
        is None
    )
