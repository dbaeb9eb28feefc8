"""What a draft says beside its columns: key, time zone, whose record it is, currency; with why, where it is a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.sources.suggest.choose import Chosen
from lakehouse.sources.suggest.composite_sql import together
from lakehouse.sources.suggest.draft_columns import Drafted, by_core, columns
from lakehouse.sources.suggest.evidence import Seen
from lakehouse.sources.suggest.target_columns import PEOPLE, WHOSE
from lakehouse.sources.suggest.words import brackets, name_of
from lakehouse.tables import entities

_CLOCKS = ("updated_at", "created_at", "ordered_at", "occurred_at", "paid_at", "issued_at")
_ZONED = re.compile(r"(?:Z|±zz)$|^epoch")
_SIGNS = {
    "¥": "",
    "￥": "",
    "$": "",
    "€": "EUR",
    "£": "GBP",
    "元": "CNY",
    "圆": "CNY",
    "RMB": "CNY",
    "人民币": "CNY",
}
_CODES = (
    "CNY",
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "HKD",
    "TWD",
    "CHF",
    "CAD",
    "AUD",
    "SGD",
    "SEK",
    "NOK",
    "DKK",
    "INR",
)


@dataclass(frozen=True)
class Guess:
    """A value of the draft, and why; `sure` is False for what a person must look at."""

    value: str
    why: str = ""
    sure: bool = True


@dataclass(frozen=True)
class Draft:
    """A whole draft. `core` and `unsure` are (canonical column, expression, why); `identifiers` (type, value, sure)."""

    source: str
    entity: str
    chosen: Chosen
    format: Literal["csv", "ndjson"]
    rows: int
    sampled: int
    columns: tuple[Drafted, ...]
    key: Guess
    time_zone: Guess
    record: str = ""
    seen_at: str = ""
    region: str = ""
    encoding: str | None = None
    sheet: str | None = None
    identifiers: tuple[tuple[str, str, bool], ...] = ()
    core: tuple[tuple[str, str, str], ...] = ()
    unsure: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class File:
    """What is known of the file itself, and what it shall be called."""

    source: str
    entity: str
    format: Literal["csv", "ndjson"] = "csv"
    rows: int = 0
    sampled: int = 0
    encoding: str | None = None
    sheet: str | None = None
    notes: tuple[str, ...] = ()


def draft(file: File, seen: Sequence[Seen], chosen: Chosen) -> Draft:
    """Return the whole draft of a file whose columns were seen and whose entity was chosen."""
    drafted = columns(seen, chosen)
    given = by_core(drafted)
    key = _key(drafted, seen, chosen)
    drafted = tuple(_required(one, key.value, seen[place]) for place, one in enumerate(drafted))
    chinese = sum(bool(name_of(one.header).han) for one in seen) * 2 > len(seen)
    china = chinese or any("damaged_phone" in one.personal for one in seen)
    identifiers, lines = _whose(file, chosen.entity, drafted)
    core = [
        (name, together(name, listed, drafted), _said(listed))
        for name, listed in given.items()
        if name != WHOSE
    ]
    unsure = [
        (one.core, one.expression, f"{one.why} ({one.header})")
        for one in drafted
        if one.core and not one.certain and one.core not in given
    ]
    currency = _currency(chosen.entity, drafted, seen, chinese=chinese)
    if currency is not None and "currency" not in given:
        (core if currency.sure else unsure).append(("currency", currency.value, currency.why))
    missing = [name for name in record_key(entities.BY_NAME[chosen.entity]) if name not in ("source", *given)]
    notes = [
        f"no column seems to be {name}, which core.{chosen.entity} is keyed by: name it" for name in missing
    ]
    return Draft(
        source=file.source,
        entity=file.entity,
        chosen=chosen,
        format=file.format,
        rows=file.rows,
        sampled=file.sampled,
        columns=drafted,
        key=key,
        time_zone=_time_zone(drafted, seen, chinese=chinese),
        record=_record(file, chosen.entity, drafted) if identifiers else "",
        seen_at=_seen_at(drafted) if identifiers else "",
        region="'CN'" if identifiers and china else "",
        encoding=file.encoding,
        sheet=file.sheet,
        identifiers=identifiers,
        core=(*lines, *core),
        unsure=tuple(unsure),
        notes=(*file.notes, *notes),
    )


def _key(drafted: Sequence[Drafted], seen: Sequence[Seen], chosen: Chosen) -> Guess:
    """Return the columns that name a record, with commas; empty where nothing does."""
    given = by_core(drafted)
    wanted = [name for name in record_key(entities.BY_NAME[chosen.entity]) if name != "source"]
    if all(name in given for name in wanted):
        return Guess(", ".join(given[name][0].name for name in wanted))
    for place, one in enumerate(drafted):
        if seen[place].key and not one.pii and one.type in ("string", "long"):
            return Guess(one.name, "every row has a value of its own there", sure=False)
    return Guess("", "no column has another value in every row", sure=False)


def _required(one: Drafted, key: str, seen: Seen) -> Drafted:
    named = one.name in key.split(", ") and seen.rows > 0 and seen.filled == seen.rows
    return replace(one, required=True) if named else one


def _said(listed: Sequence[Drafted]) -> str:
    return "; ".join(f"{one.confidence}" for one in listed[:1])


def _time_zone(drafted: Sequence[Drafted], seen: Sequence[Seen], *, chinese: bool) -> Guess:
    times = [
        one
        for place, one in enumerate(drafted)
        if one.type in ("timestamptz", "date") and not _zoned(seen[place])
    ]
    if not times:
        return Guess("UTC")
    if chinese:
        return Guess("Asia/Shanghai", "times have no zone, and the headers are Chinese", sure=False)
    return Guess(
        "UTC", "times have no zone: write the one they are meant in, such as Europe/Oslo", sure=False
    )


def _zoned(seen: Seen) -> bool:
    return bool(seen.found.formats) and all(_ZONED.search(shape) for shape in seen.found.formats)


def _whose(
    file: File, entity: str, drafted: Sequence[Drafted]
) -> tuple[tuple[tuple[str, str, bool], ...], list[tuple[str, str, str]]]:
    """Return the identifiers that a row carries, and what core gets to look its customer up by."""
    if "identifier_type" not in ENTITIES[entity]:
        return (), []
    given = by_core(drafted)
    key = record_key(entities.BY_NAME[entity])[-1]
    found: list[tuple[str, str, bool]] = []
    name, kind, why = "", f"{file.source}_id", ""
    if entity in PEOPLE and key in given:
        name = given[key][0].name
    elif WHOSE in given:
        name, why = given[WHOSE][0].name, "'user_id' where other systems know the number, too"
    elif "contact_id" in given:
        name, why = given["contact_id"][0].name, "the contact it is about"
    loose = [(sort, one.name) for sort, one in _loose(drafted)]
    if name:
        found.append((kind, name, True))
    elif loose and key in given:
        name, kind = given[key][0].name, f"{file.source}_{file.entity}_id"
        why = f"no customer's number: its {' and '.join(sorted({sort for sort, _ in loose}))} say whose it is"
        found.append((kind, name, True))
    if not name:
        return tuple((sort, value, True) for sort, value in loose) if entity in PEOPLE else (), []
    own = entity in PEOPLE or kind != f"{file.source}_id"
    found += [(sort, value, own) for sort, value in loose]
    return tuple(found), [("identifier_type", f"'{kind}'", why), (WHOSE, name, "")]


def _loose(drafted: Sequence[Drafted]) -> list[tuple[str, Drafted]]:
    """Return the columns that hold e-mails and phones, whatever core makes of them."""
    found = []
    for one in drafted:
        header = one.header.lower()
        if one.core in ("email", "phone") and one.certain:
            found.append((one.core, one))
        elif not one.core and one.pii and one.type == "string":
            if re.search(r"mail|邮箱|邮件", header):
                found.append(("email", one))
            elif re.search(r"phone|mobile|手机|电话", header):
                found.append(("phone", one))
    return found


def _record(file: File, entity: str, drafted: Sequence[Drafted]) -> str:
    """Return the SQL that names what the identifiers belong to: the record, or its customer."""
    given = by_core(drafted)
    key = record_key(entities.BY_NAME[entity])[-1]
    if entity not in PEOPLE:
        for name, word in ((WHOSE, "customer"), ("contact_id", "contacts")):
            if name in given:
                return f"'{file.source}:{word}:' || {given[name][0].name}"
    if key in given:
        return f"'{file.source}:{file.entity}:' || {given[key][0].name}"
    return f"'{file.source}:{file.entity}:' || _file_id || ':' || _row"


def _seen_at(drafted: Sequence[Drafted]) -> str:
    given = by_core(drafted)
    found = [
        given[name][0].name for name in _CLOCKS if name in given and given[name][0].type == "timestamptz"
    ]
    return f"coalesce({', '.join([*found[:2], '_loaded_at'])})" if found else "_loaded_at"


def _currency(
    entity: str, drafted: Sequence[Drafted], seen: Sequence[Seen], *, chinese: bool
) -> Guess | None:
    """Return what money is in, from its signs and headers; None where there is no money."""
    money = [place for place, one in enumerate(drafted) if one.certain and _is_money(entity, one.core)]
    if not money or "currency" not in ENTITIES[entity]:
        return None
    said = " ".join(" ".join((brackets(seen[place].header), *seen[place].found.formats)) for place in money)
    codes = {code for code in _CODES if code in said} | {
        code for sign, code in _SIGNS.items() if sign in said and code
    }
    if len(codes) == 1:
        return Guess(f"'{codes.pop()}'", "medium; amounts or headers name it")
    if not codes and chinese and ("¥" in said or "￥" in said):
        return Guess("'CNY'", "medium; amounts are written with ¥, and the headers are Chinese")
    likely = "'CNY'" if chinese else "'USD'"
    return Guess(likely, "no column and no sign says which currency it is: write it", sure=False)


def _is_money(entity: str, column: str) -> bool:
    kind = next((found.type for found in entities.BY_NAME[entity].columns if found.name == column), "")
    return kind.startswith("decimal") and "quantity" not in column
