"""Drafts the columns of a source definition: types, formats, what is personal, and what they become in core."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from lakehouse.sources.detect import name_hints
from lakehouse.sources.mappable_entities import ENTITIES
from lakehouse.sources.suggest.choose import Chosen, Confidence, Match
from lakehouse.sources.suggest.evidence import Seen, hinted
from lakehouse.sources.suggest.target_columns import WHOSE, targets
from lakehouse.sources.suggest.words import name_of, vocabulary
from lakehouse.tables import entities
from lakehouse.tables.contract import Column

_SOME, _HALF = 0.005, 0.5
LOADS = 0.98  # of the values must load as the type; else the column is kept as text
# What DuckDB does not take as the name of a column without quotes; and `extra`, which each raw table has.
_WORDS_OF_SQL = (
    "all analyse analyze and anti any array as asc asof asymmetric at authorization between binary both by case "
    "cast check collate collation column concurrently constraint create cross default deferrable desc describe "
    "distinct do else end escape except false fetch for foreign freeze from full glob group having ilike in "
    "initially inner intersect into is isnull join lambda lateral leading left like limit natural not notnull "
    "offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify "
    "references returning right select semi show similar some summarize symmetric table tablesample then to "
    "trailing true union unique unpack unpivot using variadic verbose when where window with extra"
)
RESERVED = frozenset(_WORDS_OF_SQL.split())
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
_CODE = re.compile(r"(?:^|_)(?:id|no|nr|number|code|cd|key|ref|zip|sku)$")
_ZH_CODE = re.compile(r"(?:编号|单号|编码|代码|号码|卡号|邮编|ID)$")
_PERSONAL = ("email", "phone", "damaged_phone", "chinese_id", "name", "address", "ip", "wechat_id", "birthday",
             "email_inside_text", "phone_inside_text")  # fmt: skip
_HASHED = {"chinese_id": "identity numbers", "bank_card": "numbers of bank cards"}


@dataclass(frozen=True)
class Drafted:
    """One column of the draft. `core` is the canonical column, "" for none; `expression` what core gets of it.

    `score` is how well it fits, `part` which part of the canonical column it is, `partner` the place of the column that
    goes with it. `certain`: it may stand in core; else it is told as unsure. `notes` are for whoever reads the draft.
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
    part: str = ""
    partner: int | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def certain(self) -> bool:
        """Tell whether core gets the column."""
        return bool(self.core) and self.confidence in ("high", "medium")


def columns(seen: Sequence[Seen], chosen: Chosen) -> tuple[Drafted, ...]:
    """Return the columns of the draft, in the order of the file."""
    taken: set[str] = set()
    found = []
    for place, one in enumerate(seen):
        match = chosen.matches.get(place)
        name = _name(one.header, place, match, taken)
        taken.add(name)
        found.append(_column(one, name, match, chosen.entity))
    return tuple(found)


def _column(seen: Seen, name: str, match: Match | None, entity: str) -> Drafted:
    contract = {column.name: column for column in entities.BY_NAME[entity].columns}
    canonical = contract.get(match.column) if match else None
    kind, formats, notes = _typed(seen, match, entity)
    notes += _told(seen)
    sure = canonical if match and match.confidence != "low" else None
    pii = _is_personal(seen, sure)
    drafted = Drafted(
        header=seen.header,
        name=name,
        type=kind,
        formats=formats,
        pii=pii,
        doc=sure.doc if sure else _doc(seen.header),
        notes=tuple(notes),
    )
    if match is None:
        return drafted
    expression, unsure = _expression(drafted, seen, match, entity)
    confidence: Confidence = "low" if unsure else match.confidence
    why = f"{match.why}; {unsure}" if unsure else match.why
    return replace(
        drafted,
        core=match.column,
        expression=expression,
        confidence=confidence,
        why=why,
        score=match.score,
        part=match.part,
        partner=match.partner,
    )


def _is_personal(seen: Seen, canonical: Column | None) -> bool:
    """Tell whether a column holds something of somebody; what core knows as no person's name is none."""
    kinds = {one for one in _PERSONAL if seen.personal.get(one, 0.0) > 0} | ({*seen.things} & {"bank_card"})
    if canonical is None:
        return bool(kinds) or hinted(seen.header)
    if canonical.name in ("name", "brand", "category", "city"):
        kinds -= {"name"}
    return canonical.pii or bool(kinds)


def _doc(header: str) -> str:
    return (
        " ".join("".join(sign if sign.isprintable() else " " for sign in header).split()) or "Without a name"
    )


def _name(header: str, place: int, match: Match | None, taken: set[str]) -> str:
    """Return a name for a column: its header as one word, or what it means where that is not English."""
    plain = unicodedata.normalize("NFKD", header.replace("#", " number ").replace("%", " percent "))
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    name = "" if name_of(header).han else re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    if not re.match(r"[a-z]", name) or name in ("n", "v"):
        sure = match if match and match.confidence != "low" else None
        meant = "customer_ref" if sure and sure.column == WHOSE else sure.column if sure else ""
        name = meant or _meant(header) or f"column_{place + 1}"
    if name in RESERVED:
        name += "_value"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


@lru_cache(maxsize=1)
def _chinese() -> dict[str, str]:
    """Return English names for Chinese headers: those of canonical columns, and of some that core has no place for."""
    found: dict[str, str] = {}
    for entity in ("deals", "tickets", "products", "orders", "accounts", "contacts"):
        found |= {name.han: target.column for target in targets(entity) for name in target.names if name.han}
    return found | {name_of(said).han: word for said, word in vocabulary()["plain_zh"].items()}


def _meant(header: str) -> str:
    found = _chinese().get(name_of(header).han, "")
    return "customer_ref" if found == WHOSE else found


def _typed(seen: Seen, match: Match | None, entity: str) -> tuple[str, tuple[str, ...], list[str]]:
    """Return type, formats and notes: a type that nearly all values load as, else text."""
    wanted = ENTITIES[entity].get(match.column, "VARCHAR") if match and match.confidence != "low" else ""
    if wanted == "VARCHAR" or seen.base in ("string", "json") or not seen.filled:
        return "string", (), []
    if seen.ambiguous:
        days = next((shape for shape in seen.found.formats if " or " in shape), "5/1/26")
        said = (
            f"unsure: {days}: no value says which comes first, day or month; when you know, write "
            f"type: {'timestamptz' if wanted == 'TIMESTAMPTZ' else 'date'}, formats: [dmy] or [mdy]"
        )
        return "string", (), [said]
    if any(shape.startswith("epoch") for shape in seen.found.formats):
        return "long", (), ["counted since 1970, UTC"]
    if seen.loads < LOADS:
        shapes = ", ".join(list(seen.found.formats)[:3])
        return (
            "string",
            (),
            [
                f"kept as text: {1 - seen.loads:.0%} of the values would not load as {seen.found.type}"
                + (f" (written as {shapes})" if shapes else "")
            ],
        )
    notes = [f"{1 - seen.loads:.1%} of the values would be set aside"] if seen.loads < 1 else []
    return _whole_type(seen, match, wanted), seen.formats, notes


def _whole_type(seen: Seen, match: Match | None, wanted: str) -> str:
    if seen.base == "date" and wanted == "TIMESTAMPTZ":
        return "timestamptz"
    if seen.base in ("int", "long"):
        if (match and match.column in _MONEY) or wanted.startswith("DECIMAL"):
            return "decimal(18,2)"
        code = _CODE.search("_".join(name_of(seen.header).words)) or _ZH_CODE.search(seen.header)
        return "string" if code and not wanted else "long"
    if seen.base == "decimal":
        scale = int(seen.found.type.partition(",")[2].rstrip(")") or 0)
        return f"decimal({38 if '(38' in seen.found.type else 18},{max(scale, 2)})"
    return seen.found.type


def _told(seen: Seen) -> list[str]:
    """Return what whoever reads the draft should know of the values."""
    notes = []
    if damaged := seen.personal.get("damaged_phone"):
        share = "some" if damaged < _SOME else f"{damaged:.0%}"
        notes.append(
            f"{share} of the phones are damaged (1.38E+10): their digits are lost; export them as text again"
        )
    for kind, words in _HASHED.items():
        if (
            seen.personal.get(kind, 0.0) >= _HALF
            or kind in seen.things
            or kind in name_hints.hints(seen.header)
        ):
            notes.append(f"{words}: think of `collect: hash` or `collect: drop`")
    inside = [
        kind.partition("_")[0] for kind in ("email_inside_text", "phone_inside_text") if kind in seen.personal
    ]
    if inside:
        notes.append(f"text with {' and '.join(inside)} of people in it")
    return notes


def _expression(drafted: Drafted, seen: Seen, match: Match, entity: str) -> tuple[str, str]:
    """Return the SQL that core gets, and what is unsure about it."""
    name, wanted = drafted.name, ENTITIES[entity].get(match.column, "VARCHAR")
    if match.column == "email":
        return f"lower({name})", ""
    if wanted == "VARCHAR":
        return name, ""
    if match.column == "duration_s" and "clock" in seen.things:
        return f"epoch(TRY_CAST({name} AS INTERVAL))", ""
    if drafted.type == "string":
        if seen.ambiguous:
            return f"TRY_CAST({name} AS {wanted})", "day and month cannot be told apart"
        plain = not seen.formats and seen.loads >= _HALF
        return f"TRY_CAST({name} AS {wanted})", "" if plain else "no format reads how it is written"
    return _converted(name, drafted.type, seen, match.column), ""


def _converted(name: str, kind: str, seen: Seen, column: str) -> str:
    """Return the SQL of a value in the unit that core wants: moments, shares from 0 to 1, seconds."""
    if kind == "long" and any(shape.startswith("epoch") for shape in seen.found.formats):
        return f"to_timestamp({name} / 1000)" if "epoch ms" in seen.found.formats else f"to_timestamp({name})"
    if column == "probability":
        return f"CASE WHEN {name} > 1 THEN {name} / 100 ELSE {name} END"
    if column == "duration_s" and re.search(r"min|分", seen.header.lower()):
        return f"{name} * 60"
    return name


def by_core(drafted: Sequence[Drafted]) -> Mapping[str, list[Drafted]]:
    """Return the columns that core gets, by the canonical column, the best first and parts of it last."""
    found: dict[str, list[Drafted]] = {}
    for one in sorted(drafted, key=lambda one: (one.part != "", -one.score)):
        if one.certain:
            found.setdefault(one.core, []).append(one)
    return found
