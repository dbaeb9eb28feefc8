"""Whatever encoding a sender chose, what comes out is UTF-8; in doubt the bytes stay, and their rows are bad."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakehouse.errors import BadDefinition, BadFile
from lakehouse.sources.formats.encoding import as_utf8
from tests.support.packed_files import EXAMPLES, cut

NAMES = (
    "姓名,手机,城市,地址,备注\n王伟,13800138000,北京市,朝阳区建国路88号,老客户\n李娜,13900139000,上海市,浦东新区世纪大道1号,“重点”跟进\n"
    "张秀英,13700137000,广州市,天河区体育西路,投诉：发货慢\n刘洋,13600136000,成都市,武侯区天府大道,已付款￥199\n"
)
PROSE = (
    "去年冬天，我们公司在杭州开了第一家门店。客户大多住在附近，下班以后顺路进来看看。店员记下他们买了什么，"
    "喜欢什么颜色，什么时候再来。到了春天，这些记录已经写满了三个本子，于是老板决定买一套系统。\n"
)
RUSSIAN = (
    "Имя,Город,Примечание\nИван Петров,Москва,постоянный клиент\n"
    "Ольга Смирнова,Казань,просит перезвонить завтра\n"
)
KOREAN = (
    "이름,도시,메모\n김민수,서울특별시 강남구,단골 고객입니다\n이영희,부산광역시 해운대구,배송이 늦었다고 합니다\n"
    "박지훈,대구광역시,전화 주세요\n최수진,인천,환불 요청\n"
)
LATIN = (
    "name,ort\nMüller,Köln\nJürgen Groß,Düsseldorf\n"
    "Björn Åström,Malmö\nFrançois Lefèvre,Orléans\nJosé Núñez,Málaga\n"
)
JAPANESE = "名前,住所\n佐藤さん,東京都千代田区\nスズキ,大阪府のどこか\nたなか,ありがとうございました\n"


def utf8(body, sizes=(1 << 20,), encoding=None):
    return b"".join(as_utf8(cut(body, sizes), encoding))


def refused(body, encoding=None):
    with pytest.raises(BadFile) as bad:
        utf8(body, encoding=encoding)
    return bad.value.code


@pytest.mark.parametrize("text", [NAMES, PROSE, LATIN, RUSSIAN, KOREAN, "plain,ascii\n1,2\n", "", "a", "Ж"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf8_passes_unchanged(text, mark):
    """But for its byte order mark."""
    assert utf8(mark + text.encode()) == text.encode()


def test_utf8_is_not_copied():
    """What is handed on is the very chunk that came in: nothing is faster."""
    first, second, third = b"ascii," * 9999, PROSE.encode() * 9999, "Müller\xff".encode("latin-1") * 999
    out = list(as_utf8(iter([first, second, third])))
    assert [id(chunk) for chunk in out] == [id(first), id(second), id(third)]


@pytest.mark.parametrize(
    "text", [NAMES, PROSE, "名字,x\n王伟,1\n", "city\n北京\n" * 999, "a,b\n" * 99_999 + NAMES]
)
@pytest.mark.parametrize("encoding", ["gb18030", "gbk"])
def test_chinese_is_recognised(text, encoding):
    """Excel on a Chinese Windows writes CSV so; also where the Chinese begins late, or is two words."""
    assert utf8(text.encode(encoding)) == text.encode()


def test_rare_characters_among_common_ones():
    """Names hold characters outside GB 2312, of two bytes and of four."""
    text = NAMES + "朱镕基,1,北京,陶喆,𠮷野\n"
    assert utf8(text.encode("gb18030")) == text.encode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (LATIN, "latin-1"),
        (LATIN, "cp1252"),
        ("café\n", "latin-1"),
        ("Müller\n", "latin-1"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        ("дома,окна\nвода,рука\n", "cp1251"),
        (KOREAN, "euc-kr"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        ("姓名,城市\n王小明,臺北市大安區\n陳美玲,高雄市前鎮區\n客戶備註：請於週末來電，謝謝。\n", "big5"),
        ("Γιώργος Παπαδόπουλος,Αθήνα,πελάτης\n", "iso8859-7"),
    ],
)
def test_other_encodings_are_not_taken_for_chinese(text, encoding):
    """Their bytes stay, so that their rows are set aside; wrong characters would pass unseen. Stated, they are read."""
    body = text.encode(encoding)
    assert utf8(body) == body
    assert utf8(body, encoding=encoding) == text.encode()


def test_one_broken_byte_makes_no_file_chinese():
    """Anywhere in a UTF-8 file, at whatever byte of a character: the byte stays as it was."""
    whole = NAMES.encode()
    for offset in range(len(whole)):
        wrong = whole[:offset] + b"\xd0" + whole[offset + 1 :]
        assert utf8(wrong) == wrong
        assert utf8(whole[:offset] + whole[offset + 1 :]) == whole[:offset] + whole[offset + 1 :]
    for text in (LATIN, RUSSIAN, KOREAN):
        wrong = text.encode() + b"\xc4\xe3\xba\xc3\n"  # a row from elsewhere
        assert utf8(wrong) == wrong


def test_a_broken_byte_in_chinese_stays_and_costs_its_row():
    """What GB 18030 does not know comes out as it was, which is no UTF-8: all other rows are whole."""
    rows = (NAMES * 30).encode("gb18030").split(b"\n")
    rows[70] = rows[70][:2] + b"\xff" + rows[70][2:]
    rows[77] = b"\xce"
    out = utf8(b"\n".join(rows)).split(b"\n")
    expected = (NAMES * 30).encode().split(b"\n")
    assert [n for n, (row, good) in enumerate(zip(out, expected, strict=True)) if row != good] == [70, 77]
    for broken in (70, 77):
        with pytest.raises(UnicodeDecodeError):
            out[broken].decode()


@pytest.mark.parametrize("text", [NAMES, PROSE + "\n", LATIN, RUSSIAN, "id,name\n1,a\n", "𠮷,😀\n1,2\n"])
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_with_and_without_mark(text, order):
    """A byte order mark decides; without it the NULs of delimiters, digits and line ends do."""
    mark = codecs.BOM_UTF16_LE if order.endswith("le") else codecs.BOM_UTF16_BE
    assert utf8(mark + text.encode(order)) == text.encode()
    assert utf8(text.encode(order)) == text.encode()
    assert utf8(text.encode(order), encoding=order) == text.encode()


def test_utf32_with_its_mark():
    """It begins as UTF-16 does."""
    for order, mark in (("utf-32-le", codecs.BOM_UTF32_LE), ("utf-32-be", codecs.BOM_UTF32_BE)):
        assert utf8(mark + NAMES.encode(order)) == NAMES.encode()


def test_utf16_that_breaks_off_within_a_character():
    """A file of UTF-16 has an even number of bytes; half of a pair is no UTF-8 and costs its row."""
    body = codecs.BOM_UTF16_LE + NAMES.encode("utf-16-le")
    assert refused(body[:-1]) == "broken_encoding"
    out = utf8(codecs.BOM_UTF16_LE + "a\n".encode("utf-16-le") + b"\x00\xd8" + "\nb".encode("utf-16-le"))
    assert out.split(b"\n")[::2] == [b"a", b"b"]
    with pytest.raises(UnicodeDecodeError):
        out.decode()


def test_a_mark_is_stronger_than_what_the_definition_states():
    """The sender wrote it into the file itself."""
    assert utf8(codecs.BOM_UTF8 + NAMES.encode(), encoding="gb18030") == NAMES.encode()
    assert utf8(codecs.BOM_UTF16_LE + NAMES.encode("utf-16-le"), encoding="utf-16") == NAMES.encode()
    assert utf8(NAMES.encode("utf-16-be"), encoding="utf-16") == NAMES.encode()
    assert utf8("客户".encode("utf-16-le"), encoding="utf-16") == "客户".encode()


def test_stated_encodings():
    """By any name Python knows them; what they do not know stays as it was; nobody's encoding is a wrong definition."""
    assert utf8("客户".encode("gbk"), encoding="GB2312") == "客户".encode()
    assert utf8(b"\x93ab\x94 \x81", encoding="windows-1252") == "“ab” ".encode() + b"\x81"
    assert utf8(NAMES.encode(), encoding="UTF8") == NAMES.encode()
    for wrong in ("klingon", "hex", "rot13", "idna", "utf-7"):
        with pytest.raises(BadDefinition, match=wrong):
            utf8(b"a", encoding=wrong)


def test_binary_is_refused():
    """A picture, random bytes, a file of NULs."""
    noise = random.Random(3).randbytes(9999)
    for body in (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + noise, noise, bytes(99), noise.replace(b"\0", b"\1")):
        assert refused(body) == "not_text"
        assert refused(body, encoding="utf-8") == "not_text"
    assert utf8(b"a,b\n1,\0\n" * 1 + b"1,2\n" * 50)


def test_text_with_nuls_is_not_taken_for_utf16():
    """Some write NUL for what is empty: a few cost their rows, many are a binary file; wrong characters, never."""
    for text in (
        "name,city\nMeier,\0\n" * 99,
        "客户,北京,\0\n" * 99,
        "客户,北京,1\0\n" * 99,
        "a\0b\0,1\n" + "name,city\n" * 9,
    ):
        assert refused(text.encode()) == "not_text"
        assert refused(text.encode("gb18030")) == "not_text"
    assert refused(b"M\xfcller,K\xf6ln,\0\n" * 99) == "not_text"


ENCODED = [
    text.encode(name) for text in (NAMES, PROSE) for name in ("utf-8", "gb18030", "utf-16", "utf-16-be")
]


@EXAMPLES
@given(
    st.sampled_from([*ENCODED, LATIN.encode("latin-1"), NAMES.encode()[:-2]]) | st.binary(max_size=99),
    st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any),
    st.sampled_from([None, "gb18030", "utf-16", "cp1252", "shift_jis"]),
)
@example(codecs.BOM_UTF16_LE + b"\x00\xd8" * 3, [1], None)
def test_the_cut_of_the_chunks_changes_nothing(body, sizes, encoding):
    """Characters, marks and windows may be cut anywhere."""

    def read(sizes):
        try:
            return utf8(body, sizes, encoding)
        except BadFile as error:
            return error.code

    assert read(sizes) == read([1 << 20])


def test_the_window_may_be_cut_within_a_character():
    """A window of 64 KiB ends anywhere; also where it begins in the last bytes of a chunk."""
    for shift in range(3):
        text = "a" * shift + PROSE * 999
        assert utf8(text.encode()) == text.encode()
        assert utf8(text.encode("gb18030"), (1021,)) == text.encode()
