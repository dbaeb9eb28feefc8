"""The copy stage: the definitions of one source become those of a second system of the same make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.errors import BadDefinition
from lakehouse.sources import definition
from lakehouse.sources.second_system import copied_texts, own_types

if TYPE_CHECKING:
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class CopiedSource:
    """Definitions as YAML texts by the names of their files, and the types of ids that are called anew in them."""

    texts: dict[str, str]
    own_types: list[str]


def copy_source(settings: Settings, name: str, new: str, own: Iterable[str] = ()) -> CopiedSource:
    """Return the definitions of `name` for a second system, `new`; `own` are more types of ids that are others there.

    Raises BadDefinition where there is no such source or type, or a source called `new`.
    """
    sources = definition.load(settings.definitions)
    texts = {
        definition.parse(file.text, file.name).source_key: file.text  # own ones come last and count
        for file in definition.load.files(settings.definitions)
    }
    used = sorted(
        {each.type for source in sources.values() if source.source == name for each in source.identifiers}
    )
    for kind in own:
        if used and kind not in used:
            raise BadDefinition(f"{name} has no identifiers of the type {kind}{nearest(kind, used)}")
    types = sorted({*own_types(sources.values(), name), *own})
    return CopiedSource(copied_texts(sources, texts, name, new, types), types)
