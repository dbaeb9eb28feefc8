"""Whatever encoding a sender chose, what comes out is UTF-8; in doubt the file waits until somebody says."""

from __future__ import annotations

import codecs
import random
import re
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakehouse.errors import BadDefinition, BadFile
from lakehouse.sources.formats.encoding import as_utf8
from tests.support.encoding_scores import FORMS, WORDS, is_utf8_by_chance
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


@pytest.mark.parametrize("text", [NAMES, PROSE, LATIN, RUSSIAN, KOREAN, "plain,ascii\n1,2\n", "", "a", "Жа"])
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
    "text", [NAMES, PROSE, PROSE * 999, "a,b\n" * 99_999 + NAMES, "姓名,城市\n王小明,上海\n李娜,北京\n"]
)
@pytest.mark.parametrize("encoding", ["gb18030", "gbk"])
def test_chinese_is_recognised(text, encoding):
    """Excel on a Chinese Windows writes CSV so; also where the Chinese begins late, or is a few words."""
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
        ("Café de Flore\n", "latin-1"),
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
def test_other_encodings_wait_until_they_are_stated(text, encoding):
    """Wrong characters would pass unseen. The reason says what to write, and stated they are read."""
    body = text.encode(encoding)
    assert refused(body) == "unsure_encoding"
    assert utf8(body, encoding=encoding) == text.encode()
    names = {"shift_jis": "cp932", "euc-kr": "cp949", "latin-1": "cp1252", "euc-jp": "euc_jp"}
    with pytest.raises(
        BadFile, match=f"`encoding` into its definition, such as .*{names.get(encoding, 'cp125')}"
    ):
        utf8(body)


@pytest.mark.parametrize(
    "text",
    [
        "名字,x\n王伟,1\n",
        "city\n北京\n" * 999,
        "name\n김철수\n박영희\n이민호\n",
        "山田太郎\n",
        "ÄÖ\n",
        "МОСКВА\n",
        "дома\n",
    ],
)
@pytest.mark.parametrize("encoding", ["gb18030", "euc-kr", "euc-jp", "cp1252", "koi8-r", "cp1251", "big5"])
def test_a_few_characters_are_not_guessed_at(text, encoding):
    """However often they come: in another encoding they are a few characters, too."""
    with suppress(UnicodeEncodeError):
        body = text.encode(encoding)
        if encoding == "gb18030" and re.search("[가-힣ÄÖ]", text):
            assert utf8(body) == body  # four bytes a letter, with digits: its rows are set aside
        else:
            assert refused(body) == "unsure_encoding"


@pytest.mark.parametrize(("encoding", "text"), [
    ("gb18030", "姓名,手机\n王伟,1\n"), ("big5", "姓名,手機\n王偉,1\n"), ("cp932", "氏名,住所\nヤマダ,大阪\n"),
    ("euc_jp", "氏名,住所\n山田,大阪\n"), ("cp949", "이름,도시\n김철수,서울\n"),
])  # fmt: skip
def test_the_names_that_a_mapping_expects_tell_the_encoding(encoding, text):
    """Its header holds them in one encoding only; one that nobody expects tells nothing."""
    names = ["id", *text.partition("\n")[0].split(",")]
    assert b"".join(as_utf8(iter([text.encode(encoding)]), None, names)) == text.encode()
    with pytest.raises(BadFile, match="unsure_encoding"):
        list(as_utf8(iter([text.encode(encoding)]), None, ["id", "straße", "größe", "名"]))


def test_lines_of_another_encoding_cost_themselves():
    """A file that is Chinese by its most: lines of UTF-8 load, those of a third encoding stay as they came."""
    chinese, other = (NAMES * 3).encode("gb18030"), "张伟,1,女,A座\n".encode("gb18030")
    foreign = ["王小明,上海\n".encode(), "Müller,Köln\n".encode(), "Müller,Köln\n".encode("cp1252")]
    out = utf8(chinese + b"".join(foreign) + other)
    assert out == (NAMES * 3).encode() + b"".join(foreign) + "张伟,1,女,A座\n".encode()
    long_line = PROSE.replace("\n", " ") * 40_000
    assert utf8(long_line.encode("gb18030"), (1 << 16,)) == long_line.encode()


def test_a_character_that_is_utf8_by_chance_makes_no_file_utf8():
    """However often it comes, beside others that are not."""
    assert refused("王小明,x\n谢,x\n谢,x\n谢,x\n".encode("gb18030")) == "unsure_encoding"
    mixed = "Müller,Köln\n".encode() * 20 + b"M\xfcller\n"
    assert utf8(mixed) == mixed


def test_stray_bytes_cost_their_rows():
    """Those in no word, one of ten thousand, what breaks off at the end. More make the file wait."""
    rows = b"1,plain,text\n" * 2_000
    for body in (
        b"a,\xff,1\nb,c,2\n\xff\n",
        rows + b"M\xfcller\n" + rows,
        rows + "Zo\xeb".encode()[:-1],
        b"Zo\xc3",
    ):
        assert utf8(body) == body
    assert refused(rows + b"M\xfcller\n" * 9 + rows) == "unsure_encoding"


@pytest.mark.parametrize("name", ["Müller", "Zoë", "Trần Thị Bình", "Ångström", "Łukasz Żółć"])
def test_letters_and_marks_apart_are_utf8(name):
    """As Macs write names; one word of them is enough."""
    text = f"name,city\n{unicodedata.normalize('NFD', name)},\n".encode()
    assert utf8(text) == text


@pytest.mark.parametrize("word", ["SPÓŁDZIELNIA", "PÓŹNY", "RÓŻA", "WÓZ,SPÓŁKA"])
@pytest.mark.parametrize("encoding", ["cp1250", "iso-8859-2"])
def test_a_letter_of_another_script_within_a_word_is_no_utf8(word, encoding):
    """Two Polish letters are one Cyrillic letter by chance; a text with more letters that are UTF-8 is believed."""
    body = f"1,{word},x\n".encode(encoding)
    if b"\xd3" in body:
        assert refused(body) == "unsure_encoding"
    assert utf8("1,SPӣKA,x\nМосква\n".encode()) == "1,SPӣKA,x\nМосква\n".encode()


@pytest.mark.parametrize("text", ["氏名\n山田太郎\n", "이름\n김철수\n"])
def test_letters_in_seven_bits_wait(text):
    """ISO 2022 shifts between alphabets: its bytes are ASCII, and say something else."""
    encoding = "iso2022_jp" if "氏" in text else "iso2022_kr"
    with suppress(UnicodeEncodeError):
        assert refused(text.encode(encoding)) == "unsure_encoding"
        assert utf8(text.encode(encoding), encoding=encoding) == text.encode()


def test_an_escape_and_a_dollar_are_no_alphabet():
    """Colours that a terminal was told, and a price: no shift of ISO 2022 goes on like that."""
    for cell in ("\x1b$", '"#\x1b$"', "\x1b$12", "\x1b$x"):
        body = f"1,{cell},é\n".encode()
        assert utf8(body) == body


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


@EXAMPLES
@given(
    st.sampled_from(sorted(WORDS)),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(FORMS)), min_size=1, max_size=30),
    st.integers(0, 3),
)
@example("cp1252", [(3, "{}")], 0)
def test_nothing_is_ever_read_wrong_without_a_word(encoding, rows, missing):
    """Of whatever is written in whatever encoding, of two bytes or of thirty rows, cut off or whole.

    Each line that comes out as text is one that was written; else the file waits.
    """
    words = [word for word in WORDS[encoding].split() if not is_utf8_by_chance(word.encode(encoding))] * 10
    lines = [form.format(words[number], words[number - 1]) for number, form in rows]
    body = "\n".join(lines).encode(encoding)
    body = body[: len(body) - missing] or body
    try:
        out = utf8(body)
    except BadFile:
        return
    *whole, last = out.split(b"\n")
    for number, line in enumerate(whole):
        with suppress(UnicodeDecodeError):
            assert line.decode() == lines[number]
    with suppress(UnicodeDecodeError):
        assert lines[len(whole)].startswith(last.decode())


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [NAMES, PROSE])
def test_with_enough_of_it_all_of_it_is_read(text, encoding):
    """From some words to a MB."""
    for times in (1, 3_000):
        assert utf8((text * times).encode(encoding)) == (text * times).encode()


@pytest.mark.parametrize("stated", ["cp1252", "cp1250", "gb18030", "big5", "shift_jis"])
@pytest.mark.parametrize(
    "text", ["1,Jürgen,Köln\n", "1,张伟,北京\n", "1,Zo\u00eb \u201cZ\u201d,\n", "1,€ ü\n"]
)
def test_what_can_only_be_utf8_is_no_other(text, stated):
    """A system writes UTF-8 since its update; the definition still names what it wrote before."""
    for body in (text.encode(), b"id,name,city\n" * 10_000 + text.encode()):
        assert utf8(body, (1 << 14,), encoding=stated) == body


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("RÓŻA,SPÓŁKA", "cp1250"),
        ("联通", "gbk"),
        ("Jürgen Müller", "cp1252"),
        ("张伟,北京", "gb18030"),
        ("é", "cp1252"),
    ],
)
def test_else_what_is_stated_counts(text, stated):
    """Also where it is UTF-8 by chance."""
    assert utf8(text.encode(stated), encoding=stated) == text.encode()


@pytest.mark.parametrize("body", [b"id,name\n1,A\0da\n", b"id,name\n1,Ada\n" + b"\0" * 500])
def test_a_short_text_with_a_nul_is_no_binary_file(body):
    """In a cell, or as what a disk has filled the file up with."""
    assert utf8(body) == body
    assert refused(b"\0" * 500) == "not_text"
