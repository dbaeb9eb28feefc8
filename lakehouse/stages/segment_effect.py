"""Whether a segment's campaign worked, and how large a difference its groups could show before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.segments import effect
from lakehouse.segments.read_only import open_lake
from lakehouse.stages.segment_history import check_name
from lakehouse.stages.sync_consent import asking_syncs

if TYPE_CHECKING:
    from lakehouse.segments.effect import Effect
    from lakehouse.settings import Settings


def effect_of(settings: Settings, name: str, days: int) -> Effect:
    """Return what the members of a segment bought against its control group, `days` from when each entered it.

    Raises `Terminal` for a segment that never was, and while there are no orders.
    """
    syncs = [sync.name for sync in asking_syncs(settings.definitions) if name in sync.segments]
    with open_lake(settings) as lake:
        check_name(lake, name)
        return effect.effect(lake, name, days, syncs)
