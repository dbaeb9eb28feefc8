"""Which addresses the records have that state consents: `mapped.carried_addresses`.

It follows from a source's `consents`, which name the records, and its `identifiers`, which name e-mails and phones. A
row is one place for an address in one version of a record: `identifier_type` says what it is, `identifier_value` holds
its normal form, null where the place is empty, `slot` numbers the places, `said` is false where the version says
nothing of it, as where the file lacks the column. All of a record's e-mails and phones are there, whatever its own
source says of: another one may state what the record allows by another channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.sources.mappable_entities import CLOCK, EACH, TOGETHER, WHERE
from lakehouse.sources.says import AbsentColumns, says_sql

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

_ELEMENT = re.compile(r"\beach\b")
_OF_RECORD = ("source", "record", *CLOCK, WHERE)


def mappings(source: Source, absent: AbsentColumns) -> Sequence[Mapping[str, str]]:
    """Return the mappings of `carried_addresses` that a source's consents and identifiers come to, each once."""
    carried = [each for each in source.identifiers if each.type in CONTACT_TYPES]
    made: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for mapping in source.mappings("consents"):
        if _is_of_elements(mapping):
            continue  # such statements are no row's own: they name their addresses
        of_record = {name: mapping[name] for name in _OF_RECORD if name in mapping}
        if EACH in mapping:
            # it is of the list's elements: rows without a list have addresses, too
            of_record.pop(WHERE, None)
        for slot, each in enumerate(carried):
            values = {
                **of_record,
                "identifier_type": f"'{each.type}'",
                "identifier_value": each.value,
                "slot": str(slot),
                "said": says_sql(source, each.value, absent),
            }
            made.setdefault(tuple(sorted(values.items())), values)
    return list(made.values())


def _is_of_elements(mapping: Mapping[str, str]) -> bool:
    """Return whether the records that make a mapping's statements are elements of lists, not rows."""
    return TOGETHER in mapping or (EACH in mapping and _ELEMENT.search(mapping.get("record", "")) is not None)
