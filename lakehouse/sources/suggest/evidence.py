"""What speaks for a column being a certain one of the canonical model: its name, and what its values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lakehouse.sources.detect import name_hints
from lakehouse.sources.detect.columns import ColumnDescription
from lakehouse.sources.suggest.name_index import name_index
from lakehouse.sources.suggest.policy import NamePolicy, SynonymPolicy, ValuePolicy
from lakehouse.sources.suggest.target_columns import BY_PEOPLE, WHOSE, Target, unmapped_names
from lakehouse.sources.suggest.words import Name, is_narrowed, name_of, strip_affix, vocabulary

_FOR: Final = 1.0  # what values say of a target column
_NOTHING: Final = 0.0
_AGAINST: Final = -1.0
_NUMBERS = ("int", "long", "double", "decimal")
_FRACTIONS = ("decimal", "double")
_MOMENTS = ("date", "timestamptz")
_NEVER_TEXT = ("date", "timestamptz", "boolean")
_COUNTED_TIMES = ("epoch", "Excel")  # how the formats of times that are numbers begin
_WORDS = ("name", "city", "country", "status", "stage", "title", "subject", "body")
_CHANNELS = ("channel", "lead_source", "source")
# Columns whose values look like personal data of these kinds.
_PERSONAL_KINDS = {
    "email": ("email",),
    "phone": ("phone", "damaged_phone"),
    "address": ("address",),
    "name": ("name",),
}
_ALWAYS_PERSONAL = ("email", "phone")
_NO_PLAIN_TEXT = ("email", "phone", "chinese_id", "ip")
# Columns whose values have an entity hint, and what it says against them where they have not.
_ENTITY_HINTS = {
    "currency": ("currency", ValuePolicy.no_currency),
    "gender": ("gender", ValuePolicy.no_gender),
    "website": ("url", ValuePolicy.no_url),
    "url": ("url", ValuePolicy.no_url),
    "region_code": ("region_code", ValuePolicy.no_region_code),
    "country_code": ("country_code", ValuePolicy.no_country_code),
}
# References that an export often shows by the name of what they refer to.
_SHOWN_BY_NAME = (
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
_SHORT_YEAR = re.compile(r"(?<!y)yy(?!y)")  # in the name of a format
_THREE_DIGITS_BEHIND = re.compile(r"\D*9{1,3}[.,]999\D*")  # a masked value
_PERSONAL_HINTS = frozenset(
    ("email", "phone", "chinese_id", "name", "address", "ip", "wechat_id", "birthday")
)


@dataclass(frozen=True)
class FileColumn:
    """A column of a file: its header, what a sample says of it, and whether every row has a value of its own.

    `filled`: rows with a value, `rows`: of the file, `distinct`: values. `loads`: the share of the sample's values
    (0 to 1) that ingest would read as the description's type with these `formats`; `ambiguous`: days whose order no
    value tells.
    """

    header: str
    description: ColumnDescription
    rows: int = 0
    filled: int = 0
    distinct: int = 0
    key: bool = False
    loads: float = 1.0
    formats: tuple[str, ...] = ()
    ambiguous: bool = False

    @property
    def has_short_years(self) -> bool:
        """Tell whether values are days whose years have two digits."""
        return any(_SHORT_YEAR.search(name) for name in self.description.formats)

    @property
    def may_have_thousands(self) -> bool:
        """Tell whether each value may be read as thousands or with three decimals, such as 1.234 and 1,234."""
        samples = self.description.samples  # masked: each digit is a 9
        is_fraction = self.base_type in _FRACTIONS
        return is_fraction and bool(samples) and all(map(_THREE_DIGITS_BEHIND.fullmatch, samples))

    @property
    def entity_hints(self) -> tuple[str, ...]:
        """Return what its values look like beside personal data: see `detect.value_patterns`."""
        return self.description.entity_hints

    @property
    def personal(self) -> dict[str, float]:
        """Return which personal data its values are, with their share (0 to 1)."""
        return {kind.kind: kind.share for kind in self.description.personal}

    @property
    def base_type(self) -> str:
        """Return its type without digits: decimal, not decimal(18,2)."""
        return self.description.type.partition("(")[0]

    def mostly(self, *kinds: str) -> bool:
        """Tell whether most of its values are personal data of one of the kinds."""
        personal = self.personal
        return any(personal.get(kind, 0.0) >= ValuePolicy.most_values for kind in kinds)


def name_scores(header: str, entity: str, prefixes: tuple[Name, ...] = ()) -> dict[str, float]:
    """Return how much a header says that its column is each of an entity's: 1 for one of its names.

    `prefixes` are what many headers of the file begin with: see `words.common_prefixes`.
    """
    name = name_of(header)
    if name.is_empty:
        return {}
    if name in unmapped_names(entity) and name not in name_index(entity).names:
        return {}
    scores = _scores(name, entity)
    bare = strip_affix(name, prefixes)
    if bare is not name and max(scores.values(), default=0.0) < SynonymPolicy.known:
        for column, score in _scores(bare, entity).items():
            scores[column] = max(scores.get(column, 0.0), NamePolicy.without_prefix * score)
    if _is_state_of_address(name, entity):
        scores.pop("status", None)
    factor = NamePolicy.narrowed if is_narrowed(header) else 1.0
    if is_of_other_address(header, entity):
        factor *= NamePolicy.other_address
    return {column: factor * score for column, score in scores.items()}


def _scores(name: Name, entity: str) -> dict[str, float]:
    scores = dict(_index_scores(name, entity))
    if not _is_somebody_elses(name):
        return scores
    return {
        column: score if score >= NamePolicy.exact else score * NamePolicy.somebody_else
        for column, score in scores.items()
    }


@lru_cache(maxsize=65_536)
def _index_scores(name: Name, entity: str) -> dict[str, float]:
    return name_index(entity).scores(name)


def _is_state_of_address(name: Name, entity: str) -> bool:
    """Tell whether a state is that of an address: where there are cities, `State` alone is no status."""
    if "city" not in name_index(entity).targets or "state" not in name.words:
        return False
    return name.word_set <= {"state", *vocabulary()["addresses"]}


def is_of_other_address(header: str, entity: str) -> bool:
    """Tell whether a header is of the entity's other address: who pays for an order does not say where it goes."""
    words = vocabulary()["aside"].get(entity, ())
    return any(word in words for word in name_of(header).words)


def is_somebody_elses(header: str) -> bool:
    """Tell whether a header says that what stands below it is another's: a manager's e-mail."""
    return _is_somebody_elses(name_of(header))


def _is_somebody_elses(name: Name) -> bool:
    others, others_han = vocabulary()["others"], vocabulary()["others_zh"]
    return any(word in others for word in name.words) or any(word in name.han for word in others_han)


def value_signal(column: FileColumn, target: Target) -> float:
    """Return what the values say: 1 for the target, -1 against it, 0 for nothing either way."""
    if not column.filled:
        return ValuePolicy.empty
    if column.base_type == "json":
        return _AGAINST
    target_type = target.type.partition("(")[0]
    if target_type in _MOMENTS:
        return _moment_signal(column)
    if target_type in _NUMBERS:
        return _number_signal(column, target)
    if target_type == "boolean":
        return _boolean_signal(column)
    return _text_signal(column, target)


def _moment_signal(column: FileColumn) -> float:
    if column.base_type in _MOMENTS:
        return _FOR
    counted = any(name.startswith(_COUNTED_TIMES) for name in column.description.formats)
    return ValuePolicy.counted_time if counted else _AGAINST


def _number_signal(column: FileColumn, target: Target) -> float:
    is_duration = target.column == "duration_s" and "clock" in column.entity_hints
    return _FOR if is_duration or column.base_type in _NUMBERS else _AGAINST


def _boolean_signal(column: FileColumn) -> float:
    if column.base_type == "boolean":
        return _FOR
    return ValuePolicy.two_values if column.distinct <= 2 else _AGAINST  # noqa: PLR2004 - yes and no


def _text_signal(column: FileColumn, target: Target) -> float:
    if target.entity == "accounts" and target.column == "name" and holds_people(column):
        return _AGAINST
    if column.mostly(*_PERSONAL_KINDS.get(target.column, ())):
        return _FOR
    if target.column in _ENTITY_HINTS:
        hint, against = _ENTITY_HINTS[target.column]
        return _FOR if hint in column.entity_hints else against
    if target.column in _ALWAYS_PERSONAL or _is_no_text(column):
        return _AGAINST
    if target.is_record_id or target.is_reference:
        return _id_signal(column, target)
    return _plain_text_signal(column, target)


def _is_no_text(column: FileColumn) -> bool:
    """Tell whether the values are none that a text of core may have: days, yes and no, e-mails, bank cards."""
    return (
        column.mostly(*_NO_PLAIN_TEXT)
        or column.base_type in _NEVER_TEXT
        or "bank_card" in column.entity_hints
    )


def _plain_text_signal(column: FileColumn, target: Target) -> float:
    if target.column in _CHANNELS and column.distinct == 1 and column.filled > 1:
        return ValuePolicy.single_channel
    if target.column in _WORDS and column.base_type in _NUMBERS:
        return _AGAINST
    return ValuePolicy.fraction_as_text if column.base_type in _FRACTIONS else _NOTHING


def _id_signal(column: FileColumn, target: Target) -> float:
    """Return whether values may be ids: of records, or of what records refer to."""
    if column.base_type in _FRACTIONS and any("." in name for name in column.description.formats):
        return _AGAINST
    return _record_id_signal(column) if target.is_record_id else _reference_signal(column, target)


def _record_id_signal(column: FileColumn) -> float:
    """Return whether values may be ids of records: no two are the same, but for versions of one record."""
    if column.key:
        return _FOR
    few = column.filled < ValuePolicy.few_rows  # which may well be versions of the same record
    least = ValuePolicy.few_rows_distinct if few else ValuePolicy.nearly_distinct
    return _NOTHING if column.distinct >= least * column.filled else _AGAINST


def _reference_signal(column: FileColumn, target: Target) -> float:
    """Return whether values may be ids of what records refer to: in many rows, some are the same."""
    if column.filled >= ValuePolicy.few_rows and column.key and target.single_key:
        return ValuePolicy.distinct_reference
    if "code" in column.entity_hints or target.column in BY_PEOPLE:
        return _NOTHING
    return ValuePolicy.name_as_reference if target.column in _SHOWN_BY_NAME else ValuePolicy.no_code


def holds_people(column: FileColumn) -> bool:
    """Tell whether most of what stands in a column are names of people."""
    return column.mostly("name")


def hints_at_personal_data(header: str) -> bool:
    """Tell whether a header looks as if what stands below it were personal."""
    return bool(name_hints.hints(header) & _PERSONAL_HINTS)
