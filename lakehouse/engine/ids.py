r"""Ids as text: the form in which two spellings of one id are equal, and what is no id at all.

The one rule for what is stored of an id, for joins by it, and for who is who. It is SQL that DuckDB runs for every
value, so each expression asks first what is cheap, and the SQL it is given should be a column's name.

- Spaces around an id go, also invisible ones, and what keeps a spreadsheet from rounding it: '4711, ="4711".
- ４７１１ is 4711: full-width letters and digits are typed by chance. Beside other letters they stay.
- `4711.0` is 4711: programs that know no empty whole number write ids as fractions. 007.0 and 1.10 are text.
- `"4711"` and `%224711%22` are 4711: cookies hold JSON.
- `2-Mar` is a day that a spreadsheet has made of an id.
- `1.23457E+11` has been rounded, and so has a fraction beyond 2^53: two ids may read so. 12E3 and 47671950010092e5 are
  ids: nothing that rounds writes a number without a point and without a sign.
- What people and programs write where there is no id stands in `no_ids.csv`.
"""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from lakehouse.engine.escape import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Level = Literal["anything", "record", "person", "mailbox", "phone"]
"""What a text names none of. `anything`: not even a name; `record`: no record, though it may be the number of a line
or a name; `person`: nobody. Each has what those before it have. `mailbox` is of what stands before the @ of an e-mail,
`phone` of numbers in E.164."""

CONTACT_TYPES = ("email", "phone")
"""Types of identifiers that have a normal form of their own: see `lakehouse.engine.normal_forms`."""

# White space, control characters and what is not shown at all, by Unicode (Zs, Zl, Zp, Cc, Cf): it hangs around copied
# values, and NUL behind those of fields of a fixed length.
_BLANK_RANGES: Final = (
    (0x00, 0x20), (0x7F, 0x7F), (0x85, 0x85), (0xA0, 0xA0), (0xAD, 0xAD), (0x61C, 0x61C), (0x1680, 0x1680),
    (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
)  # fmt: skip
BLANKS = "".join(chr(code) for first, last in _BLANK_RANGES for code in range(first, last + 1))
_BLANK_CLASS = "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in _BLANK_RANGES)
_BLANK_ENDS = f"^[{_BLANK_CLASS}]+|[{_BLANK_CLASS}]+$"
# Full-width letters, digits and signs, as they are typed beside Chinese or Japanese, where an id has nothing else
_WIDE = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW = "".join(map(chr, range(0x21, 0x7F)))
_WIDE_ID = r"[\x{21}-\x{7e}\x{ff01}-\x{ff5e}]+"
_DELETE = "\x7f"  # the one blank of one byte that is not below the space; those of more bytes show by an id's length
_QUOTED_FORMULA = r'^="(.*)"$'
_IN_QUOTES = r'^(?:"|%22)(.+?)(?:"|%22)$'  # of a cookie's value, which is JSON there
_APOSTROPHE = r"^'([-+=@0-9].*?)'?$"
_FRACTION = r"^([-+]?(?:0|[1-9][0-9]*))(?:[.]0+|,0{1,2})$"
# As Excel, LibreOffice and Sheets show numbers (1.2E+11, 1,2E+11, 123E+09) and programs write them (1.2e11); whole
# numbers that a double cannot tell from their neighbours; and the days that Excel makes of 3-2, 2/3 and MARCH2
_ROUNDED = (
    r"[-+]?[0-9]{1,3}(?:[.,][0-9]*)? ?[eE][+][0-9]{1,4}"
    r"|[-+]?[0-9]{1,3}[.,][0-9]+[eE]-?[0-9]{1,4}"
    r"|[-+]?(?:[1-9][0-9]{16,}|9[0-9]{15})[.]0+"
    r"|[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|[0-9]{1,2}月[0-9]{1,2}日"
)
_LONGEST_ROUNDED: Final = 24  # bytes of a double in scientific notation
_LONGEST_WORD: Final = 30  # bytes of a placeholder that begins with a letter, hashes and UUIDs apart
_LOST = "\ufffd"  # a character that a program could not read: it stands for any other
_QUOTES = "\"'`"
_WORD_TYPE = "no_id_word"
_HASHES = ("md5", "sha1", "sha256")  # what systems hash identifiers by before they hand them on
_LONGEST_PLACEHOLDER: Final = 80  # bytes of any other, such as a template
SALESFORCE = "salesforce"  # what the types of ids of its organisations begin with: there may be several
_SALESFORCE_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SALESFORCE_BITS: Final = 5  # letters that one character of the suffix tells the case of
_SALESFORCE_SHORT: Final = 15
_SALESFORCE_LONG: Final = 18
_LEVELS: dict[Level, tuple[Level, ...]] = {
    "anything": ("anything",),
    "record": ("anything", "record"),
    "person": ("anything", "record", "person"),
    "mailbox": ("mailbox",),
    "phone": ("phone",),
}


@dataclass(frozen=True)
class _Listed:
    """What `no_ids.csv` says of one level."""

    words: tuple[str, ...]
    patterns: tuple[str, ...]


@lru_cache(maxsize=1)
def _list() -> dict[Level, _Listed]:
    """Return `no_ids.csv` by what its rows name none of; ValueError for an unknown word in a row."""
    words: dict[str, list[str]] = {level: [] for level in _LEVELS}
    patterns: dict[str, list[str]] = {level: [] for level in _LEVELS}
    kinds = ("word", "pattern", "hashed")
    text = (files("lakehouse.engine") / "no_ids.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        kind, level = row["kind"], row["names_no"]
        if kind not in kinds or level not in words:
            raise ValueError(f"no_ids.csv: {row['text']} has the kind {kind} and names no {level}")
        if kind == "hashed":
            words[level] += [hashlib.new(name, row["text"].encode()).hexdigest() for name in _HASHES]
        else:
            {"word": words, "pattern": patterns}[kind][level].append(row["text"])
    return {level: _Listed(tuple(words[level]), tuple(patterns[level])) for level in _LEVELS}


def type_sql() -> str:
    """Return the statement that makes the type of the listed words, which `is_no_id_sql` needs."""
    return f"CREATE OR REPLACE TYPE {_WORD_TYPE} AS ENUM ({', '.join(map(literal, _words()))})"


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    """Return the words of all levels but those of addresses, in small letters: of each level after those it has."""
    words = (word.lower() for level in _LEVELS["person"] for word in _list()[level].words)
    return tuple(dict.fromkeys(words))


def _is_word_sql(text: str, level: Level) -> str:
    """Return the condition that a text, in whatever case, is a word of a level; null of null.

    An ENUM finds a word by its hash, and numbers it. An `IN` would keep a vector of 32 kB for each word, thread and
    column, and a pattern of all words takes longer to read than most pieces of a file.
    """
    own = {word.lower() for each in _LEVELS[level] for word in _list()[each].words}
    count = max(number for number, word in enumerate(_words(), 1) if word in own)
    number = f"enum_code(TRY_CAST(lower(trim({text}, {literal(_QUOTES)})) AS {_WORD_TYPE}))"
    return f"coalesce({number} < {count}, false)"


@lru_cache(maxsize=len(_LEVELS))
def no_id_pattern(level: Level) -> str:
    """Return the pattern, for RE2, that a text fits from end to end if it names nothing; quotes around it may stand."""
    words = (re.escape(word) for each in _LEVELS[level] for word in _list()[each].words)
    return _pattern([*words, *_patterns(level)])


def _patterns(level: Level) -> list[str]:
    return [pattern for each in _LEVELS[level] for pattern in _list()[each].patterns]


def _pattern(alternatives: Sequence[str]) -> str:
    return f"(?is)[{_QUOTES}]*(?:{'|'.join(alternatives)})[{_QUOTES}]*"


def is_no_id_sql(text: str, level: Level) -> str:
    """Return the condition that a text is a placeholder; null of null.

    Most ids are known to be none by their first character and their length; a pattern is asked of the others.
    """
    if level not in _LEVELS["person"]:
        return f"regexp_full_match({text}, {literal(no_id_pattern(level))})"
    fits = f"regexp_full_match({text}, {literal(_pattern(_patterns(level)))})"
    lengths = {kind: _lengths(level, kind) for kind in ("digit", "letter")}  # lists: see `literals`
    is_number = f"{text} >= '1' AND {text} < ':'"
    is_long = f"strlen({text}) > {_LONGEST_WORD} AND {_begins_with_letter_sql(text)}"
    is_no_word = (
        f"CASE WHEN {is_number} THEN strlen({text}) NOT IN {lengths['digit']} "
        f"WHEN {is_long} THEN strlen({text}) NOT IN {lengths['letter']} "
        f"ELSE strlen({text}) > {_LONGEST_PLACEHOLDER} END"
    )
    return (  # the type of the words stands in it once: DuckDB reads all of it wherever it is named
        f"CASE WHEN contains({text}, '{_LOST}') THEN true WHEN {is_no_word} THEN false "
        f"WHEN {_is_word_sql(text, level)} THEN true WHEN {is_number} OR {is_long} THEN false ELSE {fits} END"
    )


def _lengths(level: Level, kind: Literal["digit", "letter"]) -> list[int]:
    """Return the bytes of words that begin with a digit from 1 to 9, or are long and begin with a letter."""
    words = [word for each in _LEVELS[level] for word in _list()[each].words]
    if kind == "digit":
        fits = [word for word in words if "1" <= word[0] <= "9"]
    else:
        fits = [word for word in words if len(word.encode()) > _LONGEST_WORD and word[0].isalpha()]
    return sorted({len(word.encode()) for word in fits}) or [0]


def id_or_null_sql(text: str, level: Level) -> str:
    """Return the SQL of an id that is in its form, or null for a placeholder."""
    return f"CASE WHEN NOT ({is_no_id_sql(text, level)}) THEN {text} END"


def trimmed_sql(text: str) -> str:
    """Return the SQL of a text without blanks around it; a few comparisons where there are none."""
    return f"CASE WHEN {_may_have_blanks_sql(text)} THEN {_without_blanks_sql(text)} ELSE {text} END"


def form_sql(text: str) -> str:
    """Return the SQL of an id's form: null for one that has been rounded, and for blanks alone.

    By the first character it is decided what has to be asked of an id: of most a few comparisons.
    """
    not_rounded = f"regexp_replace({_bare_sql(text)}, {literal(f'^(?:{_ROUNDED})$')}, '')"
    thorough = f"nullif(regexp_replace({not_rounded}, {literal(_FRACTION)}, '\\1'), '')"
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN {_may_differ_sql(text)} THEN {thorough} "
        f"WHEN {_may_be_rounded_sql(text)} THEN CASE WHEN NOT {_fits_rounded_sql(text)} THEN {text} END ELSE {text} END"
    )


def is_rounded_sql(form: str, text: str) -> str:
    """Return the condition that a text is a number that has lost digits: it may have been any of several ids.

    `form` is what `form_sql` made of it: null for such a number and for blanks, and only one of these has digits.
    """
    return f"CASE WHEN {form} IS NULL AND {text} IS NOT NULL THEN regexp_matches({text}, '[0-9０-９]') ELSE false END"


def salesforce_sql(form: str) -> str:
    """Return the SQL of an id that is Salesforce's where it looks so, with 18 characters, from one in its form.

    Of the 15 that people see, case matters; three more at the end say which of them are capitals. So those can be
    computed, and capitals that a program has lost come back. What is no such id stays.
    """
    is_short = f"regexp_full_match({form}, '[0-9A-Za-z]{{15}}')"
    is_in_one_case = f"({form} = lower({form}) OR {form} = upper({form}))"
    restored = f"CASE WHEN {_names_capitals_sql(form)} THEN {_with_capitals_sql(form)} ELSE {form} END"
    return (  # one in the other: of AND, DuckDB may compute the dear side first
        f"CASE strlen({form}) WHEN {_SALESFORCE_SHORT} THEN "
        f"CASE WHEN {is_short} THEN {form} || {_suffix_sql(form)} ELSE {form} END "
        f"WHEN {_SALESFORCE_LONG} THEN CASE WHEN {is_in_one_case} THEN {restored} ELSE {form} END "
        f"ELSE {form} END"
    )


def salesforce_form_sql(text: str) -> str:
    """Return the SQL of `form_sql` and `salesforce_sql` at once; where rows are many, use them in two queries."""
    return f"list_transform([{form_sql(text)}], lambda f: {salesforce_sql('f')})[1]"


def _bare_sql(text: str) -> str:
    """Return the SQL of a text without blanks, and without what a spreadsheet is kept from rounding it by."""
    unquoted = f"regexp_replace({_narrow_sql(_without_blanks_sql(text))}, {literal(_QUOTED_FORMULA)}, '\\1')"
    bare = f"regexp_replace(regexp_replace({unquoted}, {literal(_IN_QUOTES)}, '\\1'), {literal(_APOSTROPHE)}, '\\1')"
    return _without_blanks_sql(bare)


def _narrow_sql(text: str) -> str:
    """Return the SQL of a text with plain characters for full-width ones, where all are one or the other."""
    is_wide = f"strlen(bare) > length(bare) AND regexp_full_match(bare, {literal(_WIDE_ID)})"
    narrow = f"translate(bare, {literal(_WIDE)}, {literal(_NARROW)})"
    return f"list_transform([{text}], lambda bare: CASE WHEN {is_wide} THEN {narrow} ELSE bare END)[1]"


def _without_blanks_sql(text: str) -> str:
    # `trim` reads all blanks anew for each value: that takes twenty times as long
    return f"regexp_replace({text}, {literal(_BLANK_ENDS)}, '', 'g')"


def _may_differ_sql(text: str) -> str:
    """Return the condition that an id may not be in its form, scientific notation apart; most ids pass."""
    blanks = " OR ".join(_blank_conditions(text))
    fraction = f"contains({text}, '.0') OR contains({text}, ',0')"
    is_long = f"strlen({text}) > {_LONGEST_ROUNDED}"  # for a number
    return (
        f"CASE WHEN {blanks} THEN true WHEN {text} >= '0' AND {text} < ':' THEN "
        f"CASE WHEN {is_long} THEN false ELSE {fraction} END ELSE NOT {_begins_with_letter_sql(text)} END"
    )


def _begins_with_letter_sql(text: str) -> str:
    return f"({text} >= 'A' AND {text} < '[' OR {text} >= 'a' AND {text} < '{{')"


def _may_have_blanks_sql(text: str) -> str:
    begins = f"unicode({text}) <= 32 OR starts_with({text}, {literal(_DELETE)})"
    return " OR ".join([begins, *_blank_conditions(text)])


def _blank_conditions(text: str) -> list[str]:
    """Return the conditions of which one holds if a text that begins with none ends with a blank, or is not ASCII."""
    return [
        f"strlen({text}) <> length({text})",
        f"{text}[-1] <= ' '",
        f"suffix({text}, {literal(_DELETE)})",
    ]


def _may_be_rounded_sql(text: str) -> str:
    has_mark = f"(contains({text}, 'e') OR contains({text}, 'E') OR contains({text}, '-'))"
    return f"CASE WHEN {text} < ':' AND strlen({text}) <= {_LONGEST_ROUNDED} THEN {has_mark} ELSE false END"


def _fits_rounded_sql(text: str) -> str:
    return f"regexp_full_match({text}, {literal(_ROUNDED)})"


# These go over the positions by a lambda: written out for each, they would be long, DuckDB plans them anew for every
# piece of a file, and hardly any id needs them.
def _suffix_sql(short: str) -> str:
    """Return the SQL of the three characters that say which of 15 are capitals: five bits each, the first the least."""
    bit = f"CASE WHEN {short}[start + bit] BETWEEN 'A' AND 'Z' THEN 1 << (bit - 1) ELSE 0 END"
    number = f"list_sum(list_transform(range(1, {_SALESFORCE_BITS + 1}), lambda bit: {bit}))"
    starts = f"range(0, {_SALESFORCE_SHORT}, {_SALESFORCE_BITS})"
    character = f"{literal(_SALESFORCE_SUFFIX)}[CAST(1 + {number} AS BIGINT)]"
    return f"array_to_string(list_transform({starts}, lambda start: {character}), '')"


def _is_capital_sql(long: str) -> str:
    """Return the condition that the last three characters of 18 call the one at `place`, from 0, a capital."""
    named_by = f"{long}[{_SALESFORCE_SHORT + 1} + place // {_SALESFORCE_BITS}]"
    number = f"instr({literal(_SALESFORCE_SUFFIX)}, upper({named_by})) - 1"
    return f"(({number}) >> (place % {_SALESFORCE_BITS})) & 1 = 1"


def _names_capitals_sql(long: str) -> str:
    """Return the condition that the last three characters may be what they should: only letters are called capitals."""
    is_wrong = f"{_is_capital_sql(long)} AND upper({long}[place + 1]) NOT BETWEEN 'A' AND 'Z'"
    has_suffix = f"regexp_full_match({long}[{_SALESFORCE_SHORT + 1}:], '[A-Za-z0-5]{{3}}')"
    return f"{has_suffix} AND len(list_filter(range({_SALESFORCE_SHORT}), lambda place: {is_wrong})) = 0"


def _with_capitals_sql(long: str) -> str:
    """Return the SQL of 18 characters of which the first 15 have the capitals that the last three name."""
    character = f"{long}[place + 1]"
    right = f"CASE WHEN {_is_capital_sql(long)} THEN upper({character}) ELSE lower({character}) END"
    first = f"array_to_string(list_transform(range({_SALESFORCE_SHORT}), lambda place: {right}), '')"
    return f"{first} || upper({long}[{_SALESFORCE_SHORT + 1}:])"
