"""Two spellings of one id become equal text; what has been rounded, and what is no id, is none."""

from __future__ import annotations

import csv
import hashlib
import re
from importlib.resources import files

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.engine import ids
from lakehouse.engine.escape import literal


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(ids.type_sql())
        yield con


def answer(con, sql: str, text: str | None):
    """Return what SQL over the column `t` makes of a text."""
    return con.execute(f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS t)", [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("4711", "4711"), ("4711.0", "4711"), ("7.0", "7"), ("4711.00", "4711"), ("4711,0", "4711"), ("-1.0", "-1"),
        ("9007199254740992", "9007199254740992"), ("123456789012345678901", "123456789012345678901"),
        ("007", "007"), ("007.0", "007.0"), ("1.10", "1.10"), ("2.0.1", "2.0.1"), ("1,000", "1,000"), ("v2.0", "v2.0"),
        (" s29 ", "s29"), ("s29\t\r\n", "s29"), ("\ufeffK1\u200b", "K1"), ("K1\u3000", "K1"), ("\u202aK1\u202c", "K1"),
        ("K\u00a01", "K\u00a01"), ("客户\u2003", "客户"), ('="0042"', "0042"), ("'4711", "4711"), ('=" 4711 "', "4711"),
        ("'t Hooft", "'t Hooft"), ("#1001", "#1001"), ("{6F9619FF-8B86-D011}", "{6F9619FF-8B86-D011}"),
        # of hexadecimal digits and codes some look like numbers
        ("12E3", "12E3"), ("47671950010092e5", "47671950010092e5"), ("1E5", "1E5"), ("5e-10", "5e-10"), ("E+5", "E+5"),
        # of fields of a fixed length, and typed beside Chinese text
        ("4711\0\0", "4711"), ("\0", None), ("a\0b", "a\0b"), ("４７１１", "4711"), ("Ｋ－１", "K-1"),
        ("４７１１．０", "4711"), ("王（１）", "王（１）"), ("Ｎ/Ａ ", "N/A"),
        # of a cookie, where it is JSON
        ('"4711"', "4711"), ("%22a1-b2%22", "a1-b2"), ('"4711', '"4711'), ('"4711.0"', "4711"), ('""', '""'),
        ("12-Mart", "12-Mart"), ("112-Mar", "112-Mar"), ("3月", "3月"), ("12-34", "12-34"),
        ("", None), ("  ", None), ("\u200b", None), (None, None),
    ],
)  # fmt: skip
def test_an_id_has_one_form(con, written, form):
    """Blanks around it go, and the fraction that programs give whole numbers; nothing else does."""
    assert answer(con, ids.form_sql("t"), written) == form


@pytest.mark.parametrize(
    "rounded",
    [
        "1.23457E+11", "1.23457e+11", "1,23457E+11", "1E+11", "123E+09", "-1.5E+10", "1.6147805824397E13", "1.2E-05",
        "1.2345678901234568e+17", "4.892E+092", " 1.23457E+11\u00a0", '="1.23457E+11"', "'1.23457E+11",
        "9007199254740993.0", "12345678901234567890.0", "１.２３Ｅ＋１１", "1.E+11", "1.23457 E+11",
        "2-Mar", "12-Jan", " 3-Dec ", "3月2日", "12月30日",
    ],
)  # fmt: skip
def test_a_number_that_lost_digits_is_no_id(con, rounded):
    """It may have been any of several: nobody can say which."""
    assert answer(con, ids.form_sql("t"), rounded) is None
    assert answer(con, ids.is_rounded_sql(f"({ids.form_sql('t')})", "t"), rounded) is True


@pytest.mark.parametrize("empty", ["", "  ", '=""', "'", "\u200b", None])
def test_what_is_empty_was_not_rounded(con, empty):
    """It has no form either, and nothing is lost of it."""
    assert answer(con, ids.form_sql("t"), empty) in (None, empty)
    assert answer(con, ids.is_rounded_sql(f"({ids.form_sql('t')})", "t"), empty) is False


LONE_IDS = st.one_of(
    st.from_regex(r"[0-9]{1,20}([.,]0{1,3})?", fullmatch=True),
    st.from_regex(r"[0-9a-f]{1,32}", fullmatch=True),
    st.from_regex(r"[-+]?[0-9]{1,4}([.,][0-9]{1,16})?[eE][-+]?[0-9]{1,3}", fullmatch=True),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        [
            *("#1001", "'4711", "=x", "{}", "a.0", "0.0", "00.0", "王.0", "Ｋ－１", "１.２Ｅ＋１１", "王１"),
            *(
                "4\ufffd11",
                f"M\ufffdller{'x' * 90}",
                '"4711"',
                "%22a%22",
                "2-Mar",
                "3月2日",
                "1.E+5",
                "1.5 E+11",
                "1.5 E11",
            ),
        ]
    ),
)
AROUND = st.text(st.sampled_from(["\0", " ", "\t", "\u00a0", "\u200b", "\ufeff", "\u3000"]), max_size=2)


def plain_form(written: str) -> str | None:
    """Return an id's form, read with a few lines of Python."""
    bare = written.strip(ids.BLANKS)
    if re.fullmatch("[!-~！-～]+", bare):
        bare = "".join(chr(ord(sign) - 0xFEE0) if sign > "~" else sign for sign in bare)
    if quoted := re.fullmatch('="([^\n]*)"', bare):
        bare = quoted[1]
    if in_quotes := re.fullmatch('(?:"|%22)([^\n]+?)(?:"|%22)', bare):
        bare = in_quotes[1]
    if guarded := re.fullmatch(r"'([-+=@0-9][^\n]*?)'?", bare):
        bare = guarded[1]
    bare = bare.strip(ids.BLANKS)
    number = re.fullmatch(r"([-+]?)(0|[1-9][0-9]*)(\.0+|,00?)", bare)
    if (
        number
        and number[3][0] == "."
        and len(number[2]) >= 16
        and (len(number[2]) > 16 or number[2][0] == "9")
    ):
        return None
    if number:
        return number[1] + number[2]
    exponent = re.fullmatch(r"[-+]?[0-9]{1,3}([.,][0-9]*)?( ?)[eE]([-+]?)[0-9]{1,4}", bare)
    if exponent and (exponent[3] == "+" or (exponent[1] and len(exponent[1]) > 1 and not exponent[2])):
        return None
    if re.fullmatch("[0-9]{1,2}(-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|月[0-9]{1,2}日)", bare):
        return None
    return bare or None


@settings(max_examples=400, deadline=None, database=None)
@given(st.builds("{}{}{}".format, AROUND, LONE_IDS, AROUND))
@example("47671950010092e5")
@example("1.6e1")
@example("0\x08")
@example("c1\x1f")
@example("c1\x7f")
def test_the_form_is_what_its_plain_reading_says(con, written):
    """Also where the quick way is taken; a form is its own form."""
    form = answer(con, ids.form_sql("t"), written)
    assert form == plain_form(written)
    if form is not None:
        assert answer(con, ids.trimmed_sql("t"), form) == form


SALESFORCE = "0035e00000AbCdEAAV"


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (SALESFORCE, SALESFORCE), (SALESFORCE[:15], SALESFORCE), (f" {SALESFORCE[:15]}\u200b", SALESFORCE),
        (SALESFORCE.lower(), SALESFORCE), (SALESFORCE.upper(), SALESFORCE),
        ("a9U290000004GNy", "a9U290000004GNyEAM"), ("a9U290000004GNY", "a9U290000004GNYEA2"),
        ("0035e00000AbCdEAAX", "0035e00000AbCdEAAX"),  # capitals that its end does not name
        ("0035e00000AbCd", "0035e00000AbCd"), ("K-100", "K-100"), ("1.2E+17", None),
    ],
)  # fmt: skip
def test_salesforce_s_two_ids_of_a_record_are_one(con, written, form):
    """The three characters more can be computed, and bring back lost capitals; 15 in another case are another."""
    assert answer(con, ids.salesforce_form_sql("t"), written) == form


def salesforce_suffix(short: str) -> str:
    """Return the three characters more, by Salesforce's rule."""
    groups = [short[start : start + 5] for start in (0, 5, 10)]
    bits = [sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z") for group in groups]
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[number] for number in bits)


@settings(max_examples=100, deadline=None, database=None)
@given(st.from_regex(r"[0-9A-Za-z]{15}", fullmatch=True), st.sampled_from([str, str.lower, str.upper]))
def test_salesforce_s_rule(con, short, respelled):
    """Of 15 and of 18 in whatever case; a short one in another case is another."""
    full = short + salesforce_suffix(short)
    assert answer(con, ids.salesforce_form_sql("t"), short) == full
    assert answer(con, ids.salesforce_form_sql("t"), respelled(full)) == full


NOTHING = [
    r"\N", "NULL", "null", "None", "nan", "NaN", "undefined", "(not set)", "(null)", "<null>", "<NA>", "[]", "{}",
    "[object Object]", "n/a", "N/A", "Unknown", "unbekannt", "无", "未知", "-", "--", "?", "#######", "...", '""',
    "'null'", '"undefined"', "{{user_id}}", "{{ user.id }}", "{user_id}", "${id}", "<%= id %>", "*|UNIQID|*", "[[id]]",
    "__IDFA__", "#N/A",
    "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NV", "#BEZUG!", "#WERT!", "#溢出!", "#¡REF!", "#NOM?",
    "#Н/Д", "Err:502", "#ERR502!", "错误:502", "Loading...", "00000000-0000-0000-0000-000000000000", "000000000000000",
    "000000000000000AAA", "(空白)", "（无）", "-nan", "Inconnu", "SIN ASIGNAR", "Неизвестно", "Onbekend", "未設定",
    "알 수 없음", "NULL NULL", "undefined, undefined", "None None", "-None-", "--None--", "- None -", "-- Select --",
    "Select...", "Please select", "请选择", "--请选择--", "M\ufffdller", "4\ufffd11",
]  # fmt: skip
NO_RECORD = [
    "0", "000", "-1", "True", "infinity", "%USER_ID%", "%s", "$user_id", "user_id", "Record ID", "CustomerNo", "#ИМЯ?",
    "WAHR", "Нет", "ninguno", "なし", "2147483647", "-2147483648", "4294967295",
    "-2146826246", "-2146826273", "Invalid Date", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff", "f" * 8, "F" * 16, "f" * 32,
    "0x0", "0x0000000000000000000000000000000000000000", "9223372036854775807", "-9223372036854775808",
    *(hashlib.new(by, of).hexdigest() for by in ("md5", "sha1", "sha256") for of in (b"", b"null", b"N/A", b"0")),
    hashlib.sha256(b"").hexdigest().upper(),
]  # fmt: skip
NOBODY = [
    "not_authenticated", "anonymous", "Guest", "distinct_id", "id", "email", "NA", "test", "9774d56d682e549c", "匿名",
    "logged_out", "xxx", "02:00:00:00:00:00", "Invité", "Гость", "ゲスト", "Walk-in Customer", "Laufkundschaft", "CPD",
    "Consumidor final", "零散客户", "no_user", "YOUR_USER_ID", "your-id", "123E4567-e89b-12d3-a456-426614174000",
    "11111111-1111-1111-1111-111111111111", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    "Unknown User", "Anonymous User", "deleted user", "removed", "masked", "signed-out", "匿名客户",
    "已注销用户",
]  # fmt: skip
IDS = [
    "4711", "s29", "K20-0", "#1001", "1E5", "a", "david",
    "10", "-10", "00042", "2147483646", "3000000000", "18446744073709551615", "zero", "2f0c", "nullable", "N7", "x1",
    "unknown-7", "guest-42", "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}", "$device:18c2", "Null Ltd.", "(4)", "[4]",
    "0035e00000AbCdEAAV", "test@x.com", "8f14e45f-ceea-467f-a8c3-5d2f6d3b1a00", "__a__b", "#VIP", "Madrid", "user_id_7",
    "ffffffff-ffff-ffff-ffff-fffffffffffe", "fffffff", "0x1", "Null Nullmann", hashlib.md5(b"ann@x.com").hexdigest(),
    "-2146826200", "youri", "no-11", "12345678-1234-1234-1234-123456789013",
    "none-7", "Select Comfort", "-none-7", "user-deleted-7", "Unknown User 7", "Customer 12", "未知客户7",
]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "none", "some"),
    [
        ("anything", NOTHING, [*IDS, *NO_RECORD, *NOBODY]),
        ("record", [*NOTHING, *NO_RECORD], [*IDS, *(word for word in NOBODY if word != "distinct_id")]),
        ("person", [*NOTHING, *NO_RECORD, *NOBODY], IDS),
        (
            "mailbox",
            [
                "noreply",
                "N/A",
                "null",
                "{{email}}",
                "notiene",
                "keine-email",
                "asdf",
                "xxx",
                "fake",
                "deleted",
            ],
            ["ann", "info", "null.pointer"],
        ),
        ("phone", ["+8613800138000", "+14155500000000", "+491712345678"], ["+8613800001110"]),
    ],
)
def test_what_is_no_id(con, level, none, some):
    """By what it names none of: a line may be number 0, a campaign infinity, and a product a guest."""
    condition = ids.is_no_id_sql("t", level)
    found = {text: answer(con, condition, text) for text in (*none, *some)}
    assert found == dict.fromkeys(none, True) | dict.fromkeys(some, False)
    assert answer(con, condition, None) is None
    assert answer(con, ids.id_or_null_sql("t", level), none[0]) is None
    assert answer(con, ids.id_or_null_sql("t", level), some[0]) == some[0]


LISTED = list(csv.DictReader((files("lakehouse.engine") / "no_ids.csv").read_text("utf-8").splitlines()))


@settings(max_examples=300, deadline=None, database=None)
@given(
    st.one_of(
        st.sampled_from([row["text"] for row in LISTED]).flatmap(
            lambda word: st.sampled_from([word, word.upper(), f'"{word}"'])
        ),
        st.from_regex(r"[0-9a-fx-]{1,40}", fullmatch=True),
        LONE_IDS,
    ),
    st.sampled_from(["anything", "record", "person"]),
)
def test_the_quick_way_to_no_id_is_the_long_way(con, text, level):
    """What is known by its first character and its length, the pattern says, too."""
    quick = answer(con, ids.is_no_id_sql("t", level), text)
    assert quick == answer(con, f"regexp_full_match(t, {literal(ids.no_id_pattern(level))})", text)


def test_the_list_says_each_word_once():
    """Each row has a level that is known, a kind, and where it comes from."""
    words = [(row["text"].lower(), row["names_no"]) for row in LISTED if row["kind"] == "word"]
    assert len(words) == len(set(words)) > 150
    assert {row["names_no"] for row in LISTED} == {"anything", "record", "person", "mailbox", "phone"}
    assert all(row["where"] and row["kind"] in ("word", "pattern", "hashed") for row in LISTED)


@pytest.mark.parametrize("blank", [chr(code) for code in (*range(0x21), 0x7F, 0xA0, 0x3000)])
def test_every_blank_of_one_byte_goes(con, blank):
    """Before and behind, also those that no keyboard has: a copy from a terminal brings them."""
    for written in (f"{blank}c1", f"c1{blank}", f"{blank}7{blank}"):
        assert answer(con, ids.trimmed_sql("t"), written) == written.strip(blank)
        assert answer(con, ids.form_sql("t"), written) == written.strip(blank)
