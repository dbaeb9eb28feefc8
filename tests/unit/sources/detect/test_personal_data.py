"""What looks personal, value by value: right ones and near misses, in English and Chinese."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect import personal_data as judges

RIGHT = {
    judges.is_email: ["ann@shop.example.com", "A.B+c@x.io", "ann＠example.com", "müller@example.de"],
    judges.contains_email: ["write to ann@example.com, please", "邮箱：ann@example.com"],
    judges.is_phone: [
        "13812345678",
        "+86 138-1234-5678",
        "010-62345678",
        "(415) 555-2671",
        "+49 30 901820",
        "4155552671",
    ],
    judges.is_evident_phone: [
        "13812345678",
        "+49 30 901820",
        "(415) 555-2671",
        "415-555-2671",
        "+8613812345678",
    ],
    judges.contains_mobile: ["回电13812345678谢谢", "call 13812345678 now"],
    judges.is_damaged_phone: ["1.38E+10", "4.16E+09", "1.38124E+10", "1,38E+10"],
    judges.is_damaged_mobile: ["1.38E+10", "1.5e10", "8.61381E+12"],
    judges.is_chinese_id: ["11010519491231002X", "11010519491231002x", "440524188001010014"],
    judges.is_ip: ["10.0.0.1", "2001:db8::1", "::1"],
    judges.is_wechat_id: [
        "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "o6_bmasdasdsad6_2sgVt7hMZOPfL"[:28],
        "wxid_a1b2c3d4e5f6g7",
    ],
    judges.is_birthday: ["1990-05-17", "二〇〇〇年一月五日", "17.5.1990", "32874"],
    judges.may_be_name: [
        "Ann Lee",
        "Müller",
        "O'Brien",
        "张伟",
        "欧阳娜娜",
        "买买提·艾力",
        "J. R. R. Tolkien",
    ],
    judges.may_be_chinese_name: ["张伟", "欧阳娜娜", "陳大文"],
    judges.may_be_address: [
        "上海市浦东新区世纪大道1号",
        "北京市海淀区中关村大街27号",
        "12 Main Street",
        "221b Baker St",
        "PO Box 12",
        "Lange Straße 5",
        "12 rue Lepic",
    ],
}
WRONG = {
    judges.is_email: ["ann", "ann@", "@x.io", "a b@x.io", "ann@x", "x" * 300 + "@x.io", "a@b@c.io"],
    judges.contains_email: ["ann@example.com", "no address @ all", "nothing"],
    judges.is_phone: ["2026-01-05", "12", "1.38E+10", "hello", "000000000"],
    judges.is_evident_phone: [
        "4155552671",
        "12345",
        "",
        "x13812345678",
        "+1",
        "9" * 41,
        "2026-0105-1234",
    ],
    judges.contains_mobile: ["13812345678", "order913812345678x", "md5 a13812345678b", "138 1234"],
    judges.is_damaged_phone: ["1.38E+03", "1.38", "E+10", "13800138000"],
    judges.is_damaged_mobile: ["1.2E+10", "2.1E+10", "1.38E+09", "13812345678"],
    judges.is_chinese_id: [
        "110105194912310021",
        "11010519490231002X",
        "110105194912310",
        "99999919491331002X",
    ],
    judges.is_ip: ["1.2.3", "256.1.1.1", "12:30:00", "1.2.3.4.5", "a:b:c"],
    judges.is_wechat_id: ["o" * 28, "oUpF8uMuAJO_M2pxb1Q9", "xUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "wxid_"],
    judges.is_birthday: ["1890-05-17", "2099-01-01", "hello", "12"],
    judges.may_be_name: ["Ann7", "one two three four five six", "张伟先生女士们大家", "x@y", "x" * 70],
    judges.may_be_chinese_name: ["白", "Ann", "黄金路", "很好"],
    judges.may_be_address: ["a note about 5 things", "张伟", "v1", "x " * 200, "路"],
}


@pytest.mark.parametrize(
    ("judge", "text"), [(judge, text) for judge, texts in RIGHT.items() for text in texts]
)
def test_what_fits(judge, text):
    """Every spelling that people use."""
    assert judge(text)


@pytest.mark.parametrize(
    ("judge", "text"), [(judge, text) for judge, texts in WRONG.items() for text in texts]
)
def test_what_does_not_fit(judge, text):
    """What is one sign away from it, or something else."""
    assert not judge(text)
