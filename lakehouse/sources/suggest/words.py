"""Names of columns in their normal form, and how alike two of them are. English goes by words, Chinese by signs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import yaml

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[#%]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_ID = re.compile(r"(?:流水号|编号|编码|代码|号码|id|(?<=.)工号|(?<!工)号)$")
_DAY = re.compile(r"(?<=[^生今节假作])日$|时刻$|时点$")
_SUM, _COUNT = re.compile(r"(?<=[^金总税面差])额$"), re.compile(r"(?<=[^重])量$")
_CUSTOM = re.compile(r"__[a-z]$")  # how Salesforce ends the names of fields that a company added
_UNIT = re.compile(
    r"[$¥￥€£%#]|[a-z]{1,3}|元|万元|人民币|美元|个|件|秒|分钟?|天|岁|seconds?|minutes?|hours?|mins?|local time|"
    r"必填|选填|primary|main|default|默认|utc|gmt|[a-z ]*(?:yyyy|hh:mm)[a-z:/. -]*"
)
_SHORT_PLURAL = re.compile(r"([A-Z]{2,})s\b")  # IDs, SKUs
_SIGNS = {"#": "number", "%": "percent"}
_PLURAL = 4  # letters, at least
_SINGULAR = ("sales", "goods", "series")
LOOSE = 0.95  # the same but for the word that numbers it: order id, order number
_TYPO = 0.84  # of a name's letters, from which on it counts as misspelt
_OFTEN, _HAN_WORD = 3, 2
_COUNTED = 2  # words
_RUN_TOGETHER, _PIECE = (
    7,
    3,
)  # letters, at least; words written as one are longer than a piece, or one of the ends
_ENDS = frozenset(("id", "on", "at", "no", "by", "code", "date", "time", "name", "type"))
LETTERS = 2  # by which the length of a misspelt name may differ
_SHORT, _OTHER_LETTERS = 5, 4  # letters; shorter names are not looked at for typing errors


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """Return the table of synonyms as it stands in the file."""
    text = (files("lakehouse.sources.detect") / "synonyms.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@dataclass(frozen=True)
class Name:
    """A name's normal form: `words` of English, in their order; or `han`, Chinese with what stands between.

    `own`: what is left once the entity's own name is taken away, where it begins or ends with it.
    """

    words: tuple[str, ...] = ()
    han: str = ""

    @cached_property
    def joined(self) -> str:
        """Return the words without spaces: `firstname` and `first name` are one."""
        return "".join(self.words)

    @cached_property
    def bag(self) -> frozenset[str]:
        """Return the words in no order."""
        return frozenset(self.words)

    @cached_property
    def loose(self) -> frozenset[str]:
        """Return the words, with one for all that number a record: id, number, code, key."""
        return frozenset("id" if word in vocabulary()["ids"] else word for word in self.words)

    @property
    def empty(self) -> bool:
        """Tell whether nothing is left of the name."""
        return not (self.words or self.han)


@lru_cache(maxsize=65_536)
def name_of(text: str) -> Name:
    """Return the normal form of a header or of a synonym."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return Name(han=_chinese(plain)) if _HAN.search(plain) else Name(words=_english(plain))


def is_custom(text: str) -> bool:
    """Tell whether a header is of a field that a company added to its Salesforce: it may mean anything."""
    return bool(_CUSTOM.search(text))


def narrowed(text: str) -> bool:
    """Tell whether a header's brackets say more than a unit: `Email (Primary Contact)` is not everybody's e-mail."""
    inside = brackets(text)
    return bool(inside) and not _UNIT.fullmatch(inside.lower())


def brackets(text: str) -> str:
    """Return what stands in a header's brackets, such as a unit or a currency; empty for none."""
    found = _BRACKETS.search(unicodedata.normalize("NFKC", text))
    return found[0][1:-1].strip() if found else ""


def _english(text: str) -> tuple[str, ...]:
    text = _SHORT_PLURAL.sub(r"\1", _CUSTOM.sub("", text))
    bare = _BRACKETS.sub(" ", text) if re.search(r"\w", _BRACKETS.sub("", text)) else text
    bare = bare.replace("'s ", " ").replace("’s ", " ")
    found = [_SIGNS.get(part, part.lower()) for part in _PARTS.findall(bare)]
    parts = [word for part in found for word in _apart(part)]
    table = vocabulary()
    known, same, fillers = table["abbreviations"], table["same"], table["fillers"]
    words = [word for part in parts for word in str(known.get(part, part)).split()]
    if words[:2] == ["number", "of"] and len(words) > _COUNTED:
        words[0] = "count"
    words = [_singular(word) for word in words if word not in fillers or len(words) == 1]
    words = [word for part in words for word in str(same.get(part, part)).split()]
    text = re.sub(r"\be email\b", "email", " ".join(words)).replace("time zone", "timezone")
    return _reference(_moment(text.split()))


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Return the words that names are made of, without those that are hardly words."""
    table, found = vocabulary(), set[str]()
    entities = table["entities"].values()
    for listed in (*table["columns"].values(), *(c for told in entities for c in told["columns"].values())):
        for name in listed.get("en", ()):
            found.update(part.lower() for part in _PARTS.findall(name))
    return frozenset(word for word in found if len(word) > _PIECE) | _ENDS


@lru_cache(maxsize=16_384)
def _apart(word: str) -> tuple[str, ...]:
    """Return the words that are written as one, such as `leadsourcecode`; the word itself where it is none of these."""
    if len(word) < _RUN_TOGETHER or word in _known():
        return (word,)
    for size in range(len(word) - 2, _PIECE, -1):
        rest = word[size:]
        if word[:size] in _known():
            others = (rest,) if rest in _known() else _apart(rest)
            if all(other in _known() for other in others):
                return (word[:size], *others)
    return (word,)


def _moment(words: list[str]) -> list[str]:
    """Return a name of a moment in one form: `date created`, `created on` and `created timestamp` end with `time`."""
    said = vocabulary()["moments"]
    start, end = 0, len(words)
    while end and words[end - 1] in said["behind"]:
        end -= 1
    while start < end and words[start] in said["before"]:
        start += 1
    if not end or (start, end) == (0, len(words)):
        return words
    return [*words[start:end], "time"]


def _reference(words: list[str]) -> tuple[str, ...]:
    """Return the name of a reference without what it shows: `Account Name.id` is the account's id."""
    if len(words) > _COUNTED and words[-2:] == ["name", "id"]:
        words = [*words[:-2], "id"]
    return tuple(words)


def _singular(word: str) -> str:
    if (
        len(word) < _PLURAL
        or word in _SINGULAR
        or not word.endswith("s")
        or word.endswith(("ss", "us", "is"))
    ):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


def _chinese(text: str) -> str:
    bare = "".join(_BRACKETS.sub("", text).split())
    bare = re.sub(r"[^\w]|_", "", bare).lower() or text
    for said, meant in vocabulary()["same_zh"].items():
        bare = bare.replace(said, meant) if bare != said or len(meant) > 1 else bare
    for filler in vocabulary()["fillers_zh"]:
        bare = bare.replace(filler, "") or bare
    return _COUNT.sub("数", _SUM.sub("金额", _ID.sub("编号", _DAY.sub("时间", bare))))


def without(name: Name, called: tuple[Name, ...]) -> Name:
    """Return a name without the entity's own in front of it, or behind it in English: Order Status, State of order."""
    for own in called:
        if own.han and name.han.startswith(own.han) and len(name.han) - len(own.han) >= _HAN_WORD:
            return Name(han=name.han[len(own.han) :])
        size = len(own.words)
        if size and len(name.words) > size:
            if name.words[:size] == own.words:
                return Name(words=name.words[size:])
            if name.words[-size:] == own.words:
                return Name(words=name.words[:-size])
    return name


def beginnings(headers: tuple[str, ...]) -> tuple[Name, ...]:
    """Return what many headers begin with, which says nothing of a single one: `Deal - `, `Default Address`, 买家."""
    counted: Counter[Name] = Counter()
    for header in dict.fromkeys(headers):
        name = name_of(header)
        for size in (1, 2):
            if len(name.words) > size:
                counted[Name(words=name.words[:size])] += 1
        if len(name.han) > _HAN_WORD:
            counted[Name(han=name.han[:_HAN_WORD])] += 1
    least = max(_OFTEN, len(headers) // 6)
    found = [name for name, count in counted.items() if count >= least]
    return tuple(sorted(found, key=lambda name: (-len(name.words), name.words, name.han)))


def alike(header: Name, synonym: Name) -> float:
    """Return how alike two names are: 1 for the same, 0 for nothing in common."""
    if header.han and synonym.han:
        return _alike_han(header.han, synonym.han)
    if header.words and synonym.words:
        return _alike_words(header, synonym)
    return 0.0


def _alike_han(header: str, synonym: str) -> float:
    if header == synonym:
        return 1.0
    share = min(len(header), len(synonym)) / max(len(header), len(synonym))
    if len(synonym) > 1 and synonym in header:  # the noun stands last
        return 0.54 + 0.35 * share if header.endswith(synonym) else 0.25 + 0.3 * share
    if len(header) > 1 and synonym.endswith(header):
        return 0.3 + 0.4 * share
    return 0.0


def _alike_words(header: Name, synonym: Name) -> float:
    have, want = header.bag, synonym.bag
    if header.joined == synonym.joined or have == want:
        return 1.0 if header.joined == synonym.joined else 0.97
    if header.loose == synonym.loose != {"id"}:
        return LOOSE
    if have.isdisjoint(want):
        single = len(header.words) == 1 or len(synonym.words) == 1
        return _misspelt(header.joined, synonym.joined) if single else 0.0
    one, other = have - want, want - have
    if len(one) == len(other) == 1:
        return _misspelt(*one, *other)
    return _partly(header, synonym)


def _partly(header: Name, synonym: Name) -> float:
    """Return how alike a name is to one that has words beside it: the noun stands last, Status Reason is no status."""
    have, want = header.bag, synonym.bag
    share = min(len(have), len(want)) / max(len(have), len(want))
    if want < have:
        last = header.words[-len(synonym.words) :] == synonym.words
        return 0.52 + 0.35 * share if last else 0.38 + 0.35 * share
    if have < want:
        last = synonym.words[-len(header.words) :] == header.words
        return 0.37 + 0.35 * share if last else 0.27 + 0.35 * share
    return 0.0


def _misspelt(one: str, other: str) -> float:
    if one[0] != other[0] or abs(len(one) - len(other)) > LETTERS or min(len(one), len(other)) < _SHORT:
        return 0.0
    if len(set(one) ^ set(other)) > _OTHER_LETTERS:
        return 0.0
    ratio = _ratio(one, other)
    return 0.85 * ratio if ratio >= _TYPO else 0.0


@lru_cache(maxsize=65_536)
def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
