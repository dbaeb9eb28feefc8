"""What is to be done for each sync: to write what it selects, to take off what it wrote, or only who refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lakehouse.definitions import nearest
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound import log, retired
from lakehouse.outbound.definition import disabled_syncs, load_syncs, wrong_syncs
from lakehouse.outbound.destinations.definition import WithUrl, find_destination
from lakehouse.segments import definition
from lakehouse.stages import sync_causes
from lakehouse.stages.sync_consent import with_consent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lakehouse.outbound.definition import Sync
    from lakehouse.settings import Settings

Kind = Literal["wanted", "ended", "held"]


@dataclass(frozen=True, slots=True)
class Order:
    """One sync, and what is to be done for it.

    `wanted`: what it selects is written. `ended`: it is switched off or its file is gone, and what it wrote is taken
    off. `held`: it is wrong, `wrong` says why, and only who refuses is taken off. `sync` is None where it is wrong and
    never sent anything.
    """

    name: str
    kind: Kind
    sync: Sync | None
    wrong: BadDefinition | None = None


def orders(settings: Settings, segments: Collection[str]) -> list[Order]:
    """Return what is to be done for every sync that is defined or has a log; `segments` are those there are.

    Those that ended come first: who takes their place writes when they have taken off what they wrote.
    """
    wanted, switched_off = load_syncs(settings.definitions), disabled_syncs(settings.definitions)
    wrong = wrong_syncs(settings.definitions)
    logged = set(log.syncs(settings))
    gone = sorted(logged - wanted.keys() - switched_off.keys() - wrong.keys())
    made = [Order(name, "ended", retired.last_definition(settings, name)) for name in gone]
    defined = definition.load(settings.definitions)
    for name, switched in switched_off.items():
        if name in logged:
            sync, unasked = with_consent(switched, defined)
            last = retired.last_definition(settings, name) if unasked else None
            made.append(Order(name, "ended", last or sync))
    for name, reason in sorted(wrong.items()):
        last = retired.last_definition(settings, name) if name in logged else None
        error = BadDefinition(f"sync {name}: {reason}; nothing is sent and nobody taken off but who refuses")
        made.append(Order(name, "held", last, error))
    return [*made, *_of_defined(settings, wanted.values(), segments)]


def triggered(settings: Settings, segments: Collection[str]) -> list[Order]:
    """Return those of `orders` that write because of triggers: of their rows, or of segments computed by them.

    Those that ended are among them: what they wrote is taken off before anybody else writes it.
    """
    by_trigger = {each.name for each in definition.load(settings.definitions).defined if each.trigger}
    return [
        order
        for order in orders(settings, segments)
        if order.sync is not None
        and order.kind != "held"
        and (
            order.kind == "ended" or order.sync.triggers or by_trigger.intersection(order.sync.asked_segments)
        )
    ]


def wrong(settings: Settings, segments: Collection[str]) -> dict[str, str]:
    """Return what is wrong with each sync that is held for it, or whose destination may not be reached, by name."""
    wanted = load_syncs(settings.definitions).values()
    held = {
        order.name: str(order.wrong)
        for order in _of_defined(settings, wanted, segments)
        if order.wrong is not None
    }
    return {**unreachable(settings), **wrong_syncs(settings.definitions), **held}


def unreachable(settings: Settings) -> dict[str, str]:
    """Return why nothing is sent for each sync whose destination's URL may not be reached, by the sync's name.

    By the URL's looks: no name is resolved. Such a sync is planned all the same, and its chunks stay on their way.
    """
    from lakehouse.outbound.destinations.inward import allowed_hosts, check_url  # noqa: PLC0415 - functions need none

    found: dict[str, str] = {}
    for sync in load_syncs(settings.definitions).values():
        destination = find_destination(settings.definitions, sync.destination)
        if isinstance(destination, WithUrl):
            try:
                check_url(destination.url, allowed_hosts(settings.inward_hosts), destination.file)
            except Terminal as error:
                found[sync.name] = str(error)
    return found


def _of_defined(settings: Settings, wanted: Iterable[Sync], segments: Collection[str]) -> Iterator[Order]:
    """Yield the orders of syncs that can be read.

    One that names no segment, or writes another's property, is held. So is one that does not say what to ask consent
    for.
    """
    writers: dict[tuple[str, str, str], str] = {}
    defined = definition.load(settings.definitions)
    for each in wanted:
        sync, unasked = with_consent(each, defined)
        problem = unknown_segment(sync, segments) or sync_causes.unknown_trigger(settings, sync) or unasked
        for target in sorted(sync.writes):
            other = writers.setdefault(target, sync.name)
            if other != sync.name:
                problem = (
                    problem or f"properties.{target[2]}: sync {other} writes it, too; one of them must not"
                )
        if problem:
            error = BadDefinition(
                f"sync {sync.name}: {problem}; nothing is sent and nobody taken off but who refuses"
            )
            # of one that asks for nothing nobody knows who refuses it: what it last asked for is
            last = retired.last_definition(settings, sync.name) if unasked else sync
            yield Order(sync.name, "held", last, error)
        else:
            yield Order(sync.name, "wanted", sync)


def unknown_segment(sync: Sync, segments: Collection[str]) -> str:
    """Return what is wrong with the segments of a sync: nobody is in one that is not defined; "" where nothing is."""
    unknown = (name for name in sync.asked_segments if name not in segments)
    name = next(unknown, None)
    if name is None:
        return ""
    return f"segments: there is no segment {name}{nearest(name, sorted(segments))}"
