"""Names of columns in their normal form: case, marks, abbreviations, plurals and usual synonyms do not matter.

English goes by words, Chinese by signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from lakehouse.sources.suggest.policy import NormalFormPolicy

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[#%]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_HAN_ID = re.compile(r"(?:流水号|编号|编码|代码|号码|id|(?<=.)工号|(?<!工)号)$")
_HAN_TIME = re.compile(r"(?<=[^生今节假作])日$|时刻$|时点$")
_HAN_SUM, _HAN_COUNT = re.compile(r"(?<=[^金总税面差])额$"), re.compile(r"(?<=[^重])量$")
_CUSTOM = re.compile(r"__[a-z]$")  # how Salesforce ends the names of fields that a company added
_UNIT = re.compile(
    r"[$¥￥€£%#]|[a-z]{1,3}|元|万元|人民币|美元|个|件|秒|分钟?|天|岁|seconds?|minutes?|hours?|mins?|local time|"
    r"必填|选填|primary|main|default|默认|utc|gmt|[a-z ]*(?:yyyy|hh:mm)[a-z:/. -]*"
)
_SHORT_PLURAL = re.compile(r"([A-Z]{2,})s\b")  # IDs, SKUs
_SIGNS = {"#": "number", "%": "percent"}
_SINGULARS = ("sales", "goods", "series")
_SINGULAR_ENDS = ("ss", "us", "is")
_COMPOUND_ENDS = frozenset(("id", "on", "at", "no", "by", "code", "date", "time", "name", "type"))


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """Return the table of synonyms as it stands in the file."""
    text = (files("lakehouse.sources.detect") / "synonyms.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return table


@dataclass(frozen=True)
class Name:
    """A name's normal form: `words` of English in their order; or `han`, Chinese with what stands between its signs."""

    words: tuple[str, ...] = ()
    han: str = ""

    @cached_property
    def joined(self) -> str:
        """Return the words without spaces: `firstname` and `first name` are the same."""
        return "".join(self.words)

    @cached_property
    def word_set(self) -> frozenset[str]:
        """Return the words in no order."""
        return frozenset(self.words)

    @cached_property
    def folded(self) -> frozenset[str]:
        """Return the words in no order, with `id` for all words that number a record: id, number, code, key."""
        return frozenset("id" if word in vocabulary()["ids"] else word for word in self.words)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left of the name."""
        return not (self.words or self.han)


@lru_cache(maxsize=65_536)
def name_of(text: str) -> Name:
    """Return the normal form of a header or of a synonym."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return Name(han=_chinese(plain)) if _HAN.search(plain) else Name(words=_english(plain))


def names_of(*tables: Mapping[str, Sequence[str]]) -> tuple[Name, ...]:
    """Return the names that parts of the vocabulary list below `en` and `zh`, each once, in their order."""
    texts = [text for table in tables for text in (*table.get("en", ()), *table.get("zh", ()))]
    names = dict.fromkeys(map(name_of, texts))
    return tuple(name for name in names if not name.is_empty)


def is_custom_field(header: str) -> bool:
    """Tell whether a header is of a field that a company added to its Salesforce: it may mean anything."""
    return bool(_CUSTOM.search(header))


def is_narrowed(header: str) -> bool:
    """Tell whether a header's brackets say more than a unit: `Email (Primary Contact)` is not everybody's e-mail."""
    inside = bracket_text(header)
    return bool(inside) and not _UNIT.fullmatch(inside.lower())


def bracket_text(header: str) -> str:
    """Return what stands in a header's brackets, such as a unit or a currency; empty for none."""
    match = _BRACKETS.search(unicodedata.normalize("NFKC", header))
    return match[0][1:-1].strip() if match else ""


def strip_affix(name: Name, affixes: Sequence[Name]) -> Name:
    """Return a name without the first of the affixes that it begins with, or in English ends with.

    An entity's own name says nothing: `Order Status`, `State of order`. The same object where it has none of them.
    """
    for affix in affixes:
        rest = len(name.han) - len(affix.han)
        if affix.han and name.han.startswith(affix.han) and rest >= NormalFormPolicy.prefix_han:
            return Name(han=name.han[len(affix.han) :])
        size = len(affix.words)
        if not 0 < size < len(name.words):
            continue
        if name.words[:size] == affix.words:
            return Name(words=name.words[size:])
        if name.words[-size:] == affix.words:
            return Name(words=name.words[:-size])
    return name


def common_prefixes(headers: tuple[str, ...]) -> tuple[Name, ...]:
    """Return what many headers begin with, which says nothing of a single one: `Deal - `, `Default Address`, 买家."""
    counts: Counter[Name] = Counter()
    for header in dict.fromkeys(headers):
        counts.update(_prefixes(name_of(header)))
    least = max(NormalFormPolicy.least_prefix_headers, len(headers) // NormalFormPolicy.prefix_one_in)
    common = [name for name, count in counts.items() if count >= least]
    return tuple(sorted(common, key=lambda name: (-len(name.words), name.words, name.han)))


def _prefixes(name: Name) -> Iterator[Name]:
    for size in range(1, NormalFormPolicy.prefix_words + 1):
        if len(name.words) > size:
            yield Name(words=name.words[:size])
    size = NormalFormPolicy.prefix_han
    if len(name.han) > size:
        yield Name(han=name.han[:size])


def _english(text: str) -> tuple[str, ...]:
    """Return the words of an English name: expanded, in the singular, without fillers."""
    table = vocabulary()
    text = _SHORT_PLURAL.sub(r"\1", _CUSTOM.sub("", text))
    words = _expanded(_split(_without_brackets(text)), table["abbreviations"])
    if words[:2] == ["number", "of"] and words[2:]:
        words[0] = "count"
    if len(words) > 1:
        words = [word for word in words if word not in table["fillers"]]
    words = _expanded(map(_singular, words), table["same"])
    joined = re.sub(r"\be email\b", "email", " ".join(words)).replace("time zone", "timezone")
    return _without_shown_name(_with_time_last(joined.split()))


def _without_brackets(text: str) -> str:
    """Return a name without what stands in brackets, unless that is all of it."""
    bare = _BRACKETS.sub(" ", text) if re.search(r"\w", _BRACKETS.sub("", text)) else text
    return bare.replace("'s ", " ").replace("’s ", " ")


def _split(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters: at marks, before capitals, and those that are written as one."""
    for match in _WORD.findall(text):
        yield from _split_compound(_SIGNS.get(match, match.lower()))


def _expanded(words: Iterator[str], replacements: Mapping[str, Any]) -> list[str]:
    """Return the words, each replaced by those that a part of the vocabulary has for it."""
    return [new for word in words for new in str(replacements.get(word, word)).split()]


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    """Return the words that names are made of, without those that are hardly words."""
    table, known = vocabulary(), set[str]()
    columns = list(table["columns"].values())
    for entity in table["entities"].values():
        columns += entity["columns"].values()
    for names in columns:
        for name in names.get("en", ()):
            known.update(word.lower() for word in _WORD.findall(name))
    least = NormalFormPolicy.least_compound_part
    return frozenset(word for word in known if len(word) >= least) | _COMPOUND_ENDS


@lru_cache(maxsize=16_384)
def _split_compound(word: str) -> tuple[str, ...]:
    """Return the words that are written as one, such as `leadsourcecode`; the word alone where it is none of these."""
    known = _known_words()
    if len(word) < NormalFormPolicy.least_compound_letters or word in known:
        return (word,)
    for size in range(len(word) - 2, NormalFormPolicy.least_compound_part - 1, -1):
        start, rest = word[:size], word[size:]
        if start not in known:
            continue
        others = _split_compound(rest) if rest not in known else (rest,)
        if known.issuperset(others):
            return (start, *others)
    return (word,)


def _with_time_last(words: list[str]) -> list[str]:
    """Return a name of a moment in one form: `date created`, `created on`, `created timestamp` end with `time`."""
    moments = vocabulary()["moments"]
    start, end = 0, len(words)
    while end and words[end - 1] in moments["behind"]:
        end -= 1
    while start < end and words[start] in moments["before"]:
        start += 1
    if not end or (start, end) == (0, len(words)):
        return words
    return [*words[start:end], "time"]


def _without_shown_name(words: list[str]) -> tuple[str, ...]:
    """Return the name of a reference without what it shows: `Account Name.id` is the account's id."""
    if words[-2:] == ["name", "id"] and words[:-2]:
        words = [*words[:-2], "id"]
    return tuple(words)


def _singular(word: str) -> str:
    if not word.endswith("s") or len(word) < NormalFormPolicy.least_plural_letters:
        return word
    if word in _SINGULARS or word.endswith(_SINGULAR_ENDS):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


def _chinese(text: str) -> str:
    table = vocabulary()
    bare = "".join(_BRACKETS.sub("", text).split())
    bare = re.sub(r"[^\w]|_", "", bare).lower() or text
    for synonym, usual in table["same_zh"].items():
        if bare != synonym or len(usual) > 1:
            bare = bare.replace(synonym, usual)
    for filler in table["fillers_zh"]:
        bare = bare.replace(filler, "") or bare
    bare = _HAN_ID.sub("编号", _HAN_TIME.sub("时间", bare))
    return _HAN_COUNT.sub("数", _HAN_SUM.sub("金额", bare))
