"""Drafts the columns of a source definition: names, types, formats, what is personal, and what core gets of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lakehouse.engine import sql_functions
from lakehouse.sources.detect import name_hints
from lakehouse.sources.mappable_entities import ENTITIES
from lakehouse.sources.suggest.column_names import column_name
from lakehouse.sources.suggest.evidence import FileColumn, hints_at_personal_data
from lakehouse.sources.suggest.match_columns import Confidence, Match
from lakehouse.sources.suggest.policy import DraftPolicy
from lakehouse.sources.suggest.words import name_of
from lakehouse.tables import entities
from lakehouse.tables.contract import Column

_MONEY = (
    "amount",
    "discount",
    "shipping",
    "tax",
    "unit_price",
    "list_price",
    "cost",
    "revenue",
    "balance",
    "spend",
)
_MONEY_TYPE = "decimal(18,2)"
_LEAST_DECIMALS: Final = 2  # of decimals in a definition: cents
_CODE = re.compile(r"(?:^|_)(?:id|no|nr|number|code|cd|key|ref|zip|sku)$")
_HAN_CODE = re.compile(r"(?:编号|单号|编码|代码|号码|卡号|邮编|ID)$")
_PERSONAL = (
    "email",
    "phone",
    "damaged_phone",
    "chinese_id",
    "name",
    "address",
    "ip",
    "wechat_id",
    "birthday",
    "email_inside_text",
    "phone_inside_text",
)
_NAMED_THINGS = ("name", "brand", "category", "city")  # canonical columns with names that are no person's
_TO_BE_HASHED = {"chinese_id": "identity numbers", "bank_card": "numbers of bank cards"}


@dataclass(frozen=True)
class DraftColumn:
    """One column of the draft. `core` is the canonical column, "" for none; `expression` what core gets of it.

    `score` is how well it fits, `role` which part of the canonical column it is, `partner` the index of the column that
    goes with it. `notes` are for whoever reads the draft.
    """

    header: str
    name: str
    type: str
    doc: str
    formats: tuple[str, ...] = ()
    pii: bool = False
    required: bool = False
    core: str = ""
    expression: str = ""
    confidence: Confidence | None = None
    why: str = ""
    score: float = 0.0
    role: str = ""
    partner: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_mapped(self) -> bool:
        """Tell whether core gets the column; else it is only said that it may be one of core's."""
        return bool(self.core) and self.confidence in ("high", "medium")


@dataclass(frozen=True)
class _DraftType:
    """The type and formats that a draft proposes for a column, with notes on why it is no other."""

    type: str
    formats: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def draft_columns(
    columns: Sequence[FileColumn], matches: Mapping[int, Match], entity: str
) -> tuple[DraftColumn, ...]:
    """Return the columns of the draft, in the order of the file; `matches` are those with the entity's columns."""
    taken: set[str] = set()
    drafted = []
    for index, column in enumerate(columns):
        match = matches.get(index)
        sure = match.column if match and match.confidence != "low" else ""
        name = column_name(column.header, index, sure, taken)
        taken.add(name)
        drafted.append(_draft_column(column, name, match, entity))
    return tuple(drafted)


def by_core_column(drafted: Sequence[DraftColumn]) -> Mapping[str, list[DraftColumn]]:
    """Return the columns that core gets, by the canonical column, the best first and parts of it last."""
    by_core: dict[str, list[DraftColumn]] = {}
    for column in sorted(drafted, key=lambda column: (column.role != "", -column.score)):
        if column.is_mapped:
            by_core.setdefault(column.core, []).append(column)
    return by_core


def printable(text: str) -> str:
    """Return a text in one line, with spaces for signs that cannot be shown."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _draft_column(column: FileColumn, name: str, match: Match | None, entity: str) -> DraftColumn:
    sure = match.column if match and match.confidence != "low" else ""
    canonical = {column.name: column for column in entities.BY_NAME[entity].columns}.get(sure)
    is_money = match is not None and match.column in _MONEY
    proposed = _proposed_type(column, _core_type(sure, entity) if sure else "", is_money=is_money)
    drafted = DraftColumn(
        header=column.header,
        name=name,
        type=proposed.type,
        formats=proposed.formats,
        pii=_is_personal(column, canonical),
        doc=canonical.doc if canonical else printable(column.header) or "Without a name",
        notes=(*proposed.notes, *_value_notes(column)),
    )
    if match is None:
        return drafted
    expression, doubt = _core_expression(drafted, column, match.column, entity)
    return replace(
        drafted,
        core=match.column,
        expression=expression,
        confidence="low" if doubt else match.confidence,
        why=f"{match.why}; {doubt}" if doubt else match.why,
        score=match.score,
        role=match.role,
        partner=match.partner,
    )


def _is_personal(column: FileColumn, canonical: Column | None) -> bool:
    """Tell whether a column holds personal data; names in what core knows as no person's are none."""
    kinds = {kind for kind in _PERSONAL if column.personal.get(kind, 0.0) > 0}
    if "bank_card" in column.entity_hints:
        kinds.add("bank_card")
    if canonical is None:
        return bool(kinds) or hints_at_personal_data(column.header)
    if canonical.name in _NAMED_THINGS:
        kinds.discard("name")
    return canonical.pii or bool(kinds)


def _core_type(core: str, entity: str) -> str:
    """Return DuckDB's type of a canonical column."""
    return ENTITIES[entity].get(core, "VARCHAR")


def _proposed_type(column: FileColumn, core_type: str, *, is_money: bool) -> _DraftType:
    """Return a type that nearly all values load as, else text.

    `core_type` is DuckDB's type of the canonical column that the column surely becomes, or empty.
    """
    if core_type == "VARCHAR" or column.base_type in ("string", "json") or not column.filled:
        return _DraftType("string")
    if column.ambiguous:
        return _DraftType("string", notes=(_note_on_order_of_days(column, core_type),))
    if _is_epoch(column):
        return _DraftType("long", notes=("counted since 1970, UTC",))
    if column.loads < DraftPolicy.least_loaded:
        return _DraftType("string", notes=(_note_on_text(column),))
    notes = (f"{1 - column.loads:.1%} of the values would be set aside",) if column.loads < 1 else ()
    return _DraftType(_loading_type(column, core_type, is_money=is_money), column.formats, notes)


def _note_on_order_of_days(column: FileColumn, core_type: str) -> str:
    days = next((name for name in column.description.formats if " or " in name), "5/1/26")
    return (
        f"unsure: {days}: no value says which comes first, day or month; when you know, write "
        f"type: {'timestamptz' if core_type == 'TIMESTAMPTZ' else 'date'}, formats: [dmy] or [mdy]"
    )


def _note_on_text(column: FileColumn) -> str:
    note = f"kept as text: {1 - column.loads:.0%} of the values would not load as {column.description.type}"
    formats = list(column.description.formats)[: DraftPolicy.shown_formats]
    return f"{note} (written as {', '.join(formats)})" if formats else note


def _loading_type(column: FileColumn, core_type: str, *, is_money: bool) -> str:
    """Return the type of values that load, as core or their own nature has it."""
    if column.base_type == "date" and core_type == "TIMESTAMPTZ":
        return "timestamptz"
    if column.base_type in ("int", "long"):
        return _integer_type(column, core_type, is_money=is_money)
    if column.base_type == "decimal":
        return _decimal_type(column.description.type)
    return column.description.type


def _integer_type(column: FileColumn, core_type: str, *, is_money: bool) -> str:
    """Return the type of whole numbers; what numbers a record is text, and money has cents."""
    if is_money or core_type.startswith("DECIMAL"):
        return _MONEY_TYPE
    if core_type:
        return "long"
    words = "_".join(name_of(column.header).words)
    is_code = _CODE.search(words) or _HAN_CODE.search(column.header)
    return "string" if is_code else "long"


def _decimal_type(detected: str) -> str:
    precision = 38 if "(38" in detected else 18
    scale = int(detected.partition(",")[2].rstrip(")") or 0)
    return f"decimal({precision},{max(scale, _LEAST_DECIMALS)})"


def _value_notes(column: FileColumn) -> Iterator[str]:
    """Yield what whoever reads the draft should know of the values."""
    if damaged := column.personal.get("damaged_phone"):
        share = "some" if damaged < DraftPolicy.some_damaged else f"{damaged:.0%}"
        yield (
            f"{share} of the phones are damaged (1.38E+10): their digits are lost; export them as text again, or let "
            "`formats: [phone]` set such rows aside"
        )
    for kind, words in _TO_BE_HASHED.items():
        if _is_to_be_hashed(column, kind):
            yield f"{words}: think of `collect: hash` or `collect: drop`"
    inside = [
        kind.partition("_")[0]
        for kind in ("email_inside_text", "phone_inside_text")
        if kind in column.personal
    ]
    if inside:
        yield f"text with {' and '.join(inside)} of people in it"


def _is_to_be_hashed(column: FileColumn, kind: str) -> bool:
    return (
        column.personal.get(kind, 0.0) >= DraftPolicy.least_hashed
        or kind in column.entity_hints
        or kind in name_hints.hints(column.header)
    )


def _core_expression(drafted: DraftColumn, column: FileColumn, core: str, entity: str) -> tuple[str, str]:
    """Return the SQL that core gets, and what is doubtful about it; empty for nothing."""
    name, core_type = drafted.name, _core_type(core, entity)
    if core == "email":
        return f"lower({name})", ""
    if core_type == "VARCHAR":
        return name, ""
    if core == "duration_s" and "clock" in column.entity_hints:
        return f"epoch(TRY_CAST({name} AS INTERVAL))", ""
    if drafted.type != "string":
        return _in_core_unit(drafted, column, core), ""
    return sql_functions.reader_sql(name, core_type), _doubt_of_cast(column)


def _doubt_of_cast(column: FileColumn) -> str:
    """Return why a cast of texts may not read them; empty where it does."""
    if column.ambiguous:
        return "day and month cannot be told apart"
    if column.formats or column.loads < DraftPolicy.least_cast:
        return "no format reads how it is written"
    return ""


def _in_core_unit(drafted: DraftColumn, column: FileColumn, core: str) -> str:
    """Return the SQL of a value in the unit that core wants: moments, shares from 0 to 1, seconds."""
    name = drafted.name
    if drafted.type == "long" and _is_epoch(column):
        return (
            f"to_timestamp({name} / 1000)"
            if "epoch ms" in column.description.formats
            else f"to_timestamp({name})"
        )
    if core == "probability":
        return f"CASE WHEN {name} > 1 THEN {name} / 100 ELSE {name} END"
    if core == "duration_s" and re.search(r"min|分", column.header.lower()):
        return f"{name} * 60"
    return name


def _is_epoch(column: FileColumn) -> bool:
    """Tell whether values are times that are counted since 1970."""
    return any(name.startswith("epoch") for name in column.description.formats)
