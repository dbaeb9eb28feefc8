"""Definitions of a second system of the same make, such as another shop: its ids are its own.

Two shops both have an order #3001. By one definition the later is a new version of the earlier; by two they are two
orders, and customers are one person only by what is theirs everywhere, such as an e-mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceKey


def own_types(sources: Iterable[Source], name: str) -> list[str]:
    """Return the types of identifiers that only the definitions of a source use: ids that its system gives."""
    used: dict[str, set[str]] = {}
    for source in sources:
        for carried in source.identifiers:
            used.setdefault(carried.type, set()).add(source.source)
    return sorted(kind for kind, users in used.items() if users == {name} and kind not in CONTACT_TYPES)


def copied_texts(
    sources: Mapping[SourceKey, Source],
    texts: Mapping[SourceKey, str],
    name: str,
    new: str,
    own: Iterable[str],
) -> dict[str, str]:
    """Return the definitions of `name` as those of `new`: YAML texts by the names of their files.

    `own` are types of identifiers that stand for other people in the new system: they are called anew, `shop_id` of a
    `shop_eu` becomes `shop_eu_id`, or `shop_eu_user_id` where the type does not begin with the source's name.
    Raises BadDefinition for a source that is not there, a new one that is, or one that is not named after the old.
    """
    names = sorted({source for source, _ in sources})
    if name not in names:
        raise BadDefinition(f"there is no source {name}{nearest(name, names, 'lakehouse sources list')}")
    if new in names:
        raise BadDefinition(f"there is a source {new} already: give the new one another name")
    if not re.fullmatch(rf"{name}_[a-z0-9_]+", new):
        raise BadDefinition(f"{new}: call it {name}_ and what tells the two apart, such as {name}_eu")
    renamed = {kind: _renamed(kind, name, new) for kind in own}
    return {
        f"{new}_{entity}.yaml": _copied(texts[source, entity], source, entity, new, renamed)
        for source, entity in sources
        if source == name
    }


def _renamed(kind: str, name: str, new: str) -> str:
    return f"{new}{kind.removeprefix(name)}" if kind.startswith(f"{name}_") else f"{new}_{kind}"


def _copied(text: str, name: str, entity: str, new: str, renamed: Mapping[str, str]) -> str:
    """Return one definition's text under the new names; all else, comments too, stays as it is."""
    # the table, in SQL that looks at other rows
    text = re.sub(rf"\b{name}_{entity}\b", f"{new}_{entity}", text)
    text = re.sub(rf"(?m)^source: *{name}\b", f"source: {new}", text, count=1)
    text = text.replace(f"source: \"'{name}'\"", f"source: \"'{new}'\"")  # of records whose ids it gives
    text = re.sub(r"(?m)^references:.*(?:\n +.*)*", lambda found: _new_values(found[0], name, new), text)
    for kind, other in renamed.items():
        # as the type of an identifier, and as a text in SQL: a column may be called the same
        text = re.sub(rf"(\btype: *){kind}\b", rf"\g<1>{other}", text)
        text = text.replace(f"'{kind}'", f"'{other}'")
    return text


def _new_values(mapping: str, name: str, new: str) -> str:
    return re.sub(rf"(: *){name}\b", rf"\g<1>{new}", mapping)
