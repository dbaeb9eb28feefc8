"""What speaks for a column being a certain one of the canonical model: its name, and what its values look like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lakehouse.sources.detect import name_hints
from lakehouse.sources.detect.columns import ColumnDescription
from lakehouse.sources.suggest.target_columns import BY_PEOPLE, WHOLE, WHOSE, Target, beside, index
from lakehouse.sources.suggest.words import Name, name_of, narrowed, vocabulary, without

_NARROWED = 0.85  # a name with more than a unit in brackets
_COMMON = 0.9  # a name without what many headers of the file begin with
_EMPTY = -0.1  # of two columns of a name, the one that has values is taken
_ASIDE = 0.85
_EXACT = 0.97
_SOMEBODY_ELSES = 0.55
_MOST = 0.5  # share of values
_BITS = 2  # distinct values of yes and no
_FEW_ROWS = 20  # in which every value may differ by chance
_NUMBERS = ("int", "long", "double", "decimal")
_MOMENTS = ("date", "timestamptz")
# Columns whose values have a look of their own, and the kinds of personal data that are it.
_LOOKS = {
    "email": ("email",),
    "phone": ("phone", "damaged_phone"),
    "address": ("address",),
    "name": ("name",),
}
_MUST = ("email", "phone")
_KINDS_OF_THINGS = {
    "currency": ("currency", -1.0),
    "gender": ("gender", -0.3),
    "website": ("url", -0.3),
    "url": ("url", -0.3),
    "region_code": ("region_code", -0.8),
    "country_code": ("country_code", -0.5),
}
_NEVER_TEXT = ("date", "timestamptz", "boolean")
_WORDS = ("name", "city", "country", "status", "stage", "title", "subject", "body")
# What an export often shows by its name.
_BY_NAMES = (
    "place_id",
    "store_id",
    "campaign_id",
    "account_id",
    "contact_id",
    "deal_id",
    "device_id",
    "survey_id",
    "form_id",
    WHOSE,
)
_CHANNELS = ("channel", "lead_source", "source")


@dataclass(frozen=True)
class Seen:
    """A column of a file: its header, what a sample says of it, and whether every row has a value of its own.

    `filled`: rows with a value, `rows`: of the file, `distinct`: values. `loads`: the share of the sample's values
    that ingest would read as `found.type` with these `formats`; `ambiguous`: days whose order no value tells.
    """

    header: str
    found: ColumnDescription
    rows: int = 0
    filled: int = 0
    distinct: int = 0
    key: bool = False
    loads: float = 1.0
    formats: tuple[str, ...] = ()
    ambiguous: bool = False

    @property
    def things(self) -> tuple[str, ...]:
        """Return what its values are that is nobody's: see `detect.value_patterns`."""
        return self.found.entity_hints

    @property
    def personal(self) -> dict[str, float]:
        """Return which personal data its values are, with their share."""
        return {one.kind: one.share for one in self.found.personal}

    @property
    def base(self) -> str:
        """Return its type without digits: decimal, not decimal(18,2)."""
        return self.found.type.partition("(")[0]


def by_name(header: str, entity: str, common: tuple[Name, ...] = ()) -> dict[str, float]:
    """Return how much a header says that its column is each of an entity's: 1 for one of its names.

    `common` is what many headers of the file begin with: see `words.beginnings`.
    """
    name = name_of(header)
    if name.empty:
        return {}
    found = _named(name, entity)
    if name in beside(entity) and name not in index(entity).whole:
        return {}
    bare = without(name, common)
    if bare is not name and max(found.values(), default=0.0) < WHOLE:
        for column, score in _named(bare, entity).items():
            found[column] = max(found.get(column, 0.0), _COMMON * score)
    if _is_region(name, entity):
        found.pop("status", None)
    share = (_NARROWED if narrowed(header) else 1.0) * (_ASIDE if is_aside(header, entity) else 1.0)
    return {column: share * score for column, score in found.items()}


def _is_region(name: Name, entity: str) -> bool:
    """Tell whether a state is that of an address: where there are cities, `State` alone is no status."""
    of_address = {"state", *vocabulary()["addresses"]}
    return "city" in index(entity).targets and "state" in name.words and name.bag <= of_address


def is_aside(header: str, entity: str) -> bool:
    """Tell whether a header is of the entity's other address: who pays for an order does not say where it goes."""
    return any(word in vocabulary()["aside"].get(entity, ()) for word in name_of(header).words)


@lru_cache(maxsize=65_536)
def _found(name: Name, entity: str) -> dict[str, float]:
    return index(entity).find(name)


def _named(name: Name, entity: str) -> dict[str, float]:
    found = dict(_found(name, entity))
    if _somebody_elses(name):
        return {
            column: score if score >= _EXACT else score * _SOMEBODY_ELSES for column, score in found.items()
        }
    return found


def of_somebody_else(header: str) -> bool:
    """Tell whether a header says that what stands below it is another's: a manager's e-mail."""
    return _somebody_elses(name_of(header))


def _somebody_elses(name: Name) -> bool:
    others, others_zh = vocabulary()["others"], vocabulary()["others_zh"]
    return any(word in others for word in name.words) or any(word in name.han for word in others_zh)


def by_values(seen: Seen, target: Target) -> float:
    """Return what the values say: 1 for the target, -1 against it, 0 for nothing either way."""
    if not seen.filled:
        return _EMPTY
    if seen.base == "json":
        return -1.0
    base = target.type.partition("(")[0]
    if base in _MOMENTS:
        return _moment(seen)
    if base in _NUMBERS:
        clock = target.column == "duration_s" and "clock" in seen.things
        return 1.0 if clock or seen.base in _NUMBERS else -1.0
    if base == "boolean":
        return 1.0 if seen.base == "boolean" else -0.3 if seen.distinct <= _BITS else -1.0
    return _text(seen, target)


def _moment(seen: Seen) -> float:
    if seen.base in _MOMENTS:
        return 1.0
    return -0.3 if any(shape.startswith(("epoch", "Excel")) for shape in seen.found.formats) else -1.0


def _text(seen: Seen, target: Target) -> float:
    personal, column = seen.personal, target.column
    if target.entity == "accounts" and column == "name" and of_people(seen):
        return -1.0
    if any(personal.get(kind, 0.0) >= _MOST for kind in _LOOKS.get(column, ())):
        return 1.0
    if column in _KINDS_OF_THINGS:
        kind, against = _KINDS_OF_THINGS[column]
        return 1.0 if kind in seen.things else against
    strange = any(personal.get(kind, 0.0) >= _MOST for kind in ("email", "phone", "chinese_id", "ip"))
    if column in _MUST or strange or seen.base in _NEVER_TEXT or "bank_card" in seen.things:
        return -1.0
    if target.record or target.reference:
        return _identity(seen, target)
    return _plain_text(seen, column)


def _plain_text(seen: Seen, column: str) -> float:
    if column in _CHANNELS and seen.distinct == 1 and seen.filled > 1:
        return -0.4  # one and the same in every row says where the file is from
    if seen.base in _NUMBERS and column in _WORDS:
        return -1.0
    return -0.5 if seen.base in ("decimal", "double") else 0.0


def _identity(seen: Seen, target: Target) -> float:
    """Say whether values may be ids: of records no two are the same, of what they refer to some are."""
    if seen.base in ("decimal", "double") and any("." in shape for shape in seen.found.formats):
        return -1.0
    many = seen.filled >= _FEW_ROWS
    if (
        target.record and not many and seen.distinct * 2 >= seen.filled
    ):  # a few rows may well be versions of one
        return 1.0 if seen.key else 0.0
    if target.record:
        return 1.0 if seen.key else 0.0 if seen.distinct >= 0.9 * seen.filled else -1.0
    if many and seen.key and target.single:
        return -0.15
    if "code" in seen.things or target.column in BY_PEOPLE:
        return 0.0
    return -0.2 if target.column in _BY_NAMES else -0.5


def of_people(seen: Seen) -> bool:
    """Tell whether what stands in a column are names of people."""
    return seen.personal.get("name", 0.0) >= _MOST


def hinted(header: str) -> bool:
    """Tell whether a header looks as if what stands below it were personal."""
    personal = {"email", "phone", "chinese_id", "name", "address", "ip", "wechat_id", "birthday"}
    return bool(name_hints.hints(header) & personal)
