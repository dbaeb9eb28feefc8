"""Chooses which canonical entity a file is, and which of its columns each column is; says how sure that is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lakehouse.sources.mappable_entities import record_key
from lakehouse.sources.suggest.composite_columns import parts
from lakehouse.sources.suggest.evidence import Seen, by_name, by_values, of_people, of_somebody_else
from lakehouse.sources.suggest.target_columns import Target, beside, called, candidates, index
from lakehouse.sources.suggest.words import Name, alike, beginnings, is_custom, name_of, without
from lakehouse.tables import entities

Confidence = Literal["high", "medium", "low"]
_HIGH, _MEDIUM, _LOW = 0.93, 0.68, 0.5
_BONUS, _AGAINST = 0.06, 0.5  # what values that fit add, what those that contradict take
_CLOSE = 0.04  # two that differ by less are as good as each other
# A record may have two of them: the first that is filled counts, of changes the last.
SEVERAL = ("phone", "email", "owner_id", "user_id", "website", "lead_source", "outcome", "updated_at")
_SURE_OF_SEVERAL = ("phone", "email")
_PEOPLES = ("owner_id", "user_id")
_SHARES = ("satisfaction", "rating")
_OUTRIGHT, _LIKE = 0.97, 0.9
_BY_LOOK = {"email": "email", "phone": "phone"}
_CERTAIN = 0.9  # share of values that look alike, from which on their look alone says something
_SUM = re.compile(r"amount|amt|total|sum\b|paid|due|金额|总|款|合计|小计", re.IGNORECASE)
_PEOPLE_NO_FIRMS = 0.3  # what names of people take from a file that else would be of firms
_SURE_ENTITY, _SURE_AHEAD = 0.7, 0.15  # its score, and how far it must be ahead of the second


@dataclass(frozen=True)
class Match:
    """A file's column as a canonical one: how sure, and why. `score` is 0 to 1.

    `part`: it is only a part of it, as `parts` says; `partner` the place of the column that goes with it.
    """

    column: str
    score: float
    confidence: Confidence
    why: str
    part: str = ""
    partner: int | None = None


@dataclass(frozen=True)
class Chosen:
    """What a file is: the entity, its score and those of the next, and the match of each column by its place.

    `sure`: no other entity comes close, or a person said which it is. A column without a match has none.
    """

    entity: str
    scores: Mapping[str, float]
    sure: bool
    matches: Mapping[int, Match]


def choose(columns: Sequence[Seen], told: str = "", names: Sequence[str] = ()) -> Chosen:
    """Return the entity that fits columns best, or the one that is `told`, with the matches of its columns.

    `names` are those of the file and its place: a file orders.csv is likely to hold orders.
    """
    table = {entity: _scores(entity, columns) for entity in candidates()}
    weights = _weights(table, len(columns))
    ranked = {
        entity: _entity_score(entity, columns, scores, weights, names) for entity, scores in table.items()
    }
    order = sorted(ranked, key=lambda entity: (-ranked[entity], entity))
    entity = told or order[0]
    second = next(ranked[other] for other in order if other != entity)
    sure = bool(told) or (ranked[entity] >= _SURE_ENTITY and ranked[entity] - second >= _SURE_AHEAD)
    top = {name: _shown(ranked[name]) for name in order[:3] if ranked[name] > 0}
    matches = _assigned(entity, columns, table[entity])
    matches = _with_parts(columns, entity, matches)
    if not sure:
        why = f"it may be {order[1]}, too"
        matches = {place: _at_most(match, "medium", why) for place, match in matches.items()}
    return Chosen(entity, top | {entity: _shown(ranked[entity])}, sure, matches)


def _with_parts(columns: Sequence[Seen], entity: str, matches: dict[int, Match]) -> dict[int, Match]:
    taken = {place: match.column for place, match in matches.items() if match.confidence != "low"}
    return matches | {
        place: Match(part.column, _MEDIUM, "medium", part.why, part.role, part.partner)
        for place, part in parts(entity, columns, taken).items()
    }


def _shown(score: float) -> float:
    return round(min(score, 1.0), 2)


Scores = dict[int, list[tuple[float, float, float, Target]]]  # by column: total, by name, by values, target


def _scores(entity: str, columns: Sequence[Seen]) -> Scores:
    found: Scores = {}
    common = beginnings(tuple(seen.header for seen in columns))
    for place, seen in enumerate(columns):
        names = by_name(seen.header, entity, common)
        for target in index(entity).targets.values():
            named = names.get(target.column, 0.0)
            if named < _LOW:
                named = _by_look(seen, target, named)
            if named < _LOW:
                continue
            fits = by_values(seen, target)
            total = named + _BONUS * fits if fits >= 0 else named * (1 + _AGAINST * fits)
            found.setdefault(place, []).append((total, named, fits, target))
    for listed in found.values():
        listed.sort(key=lambda one: (-one[0], -one[1], one[3].column))
    return found


def _by_look(seen: Seen, target: Target, named: float) -> float:
    """Return what the look of values alone is worth, where the header says nothing: e-mails below `col_7`."""
    look = _BY_LOOK.get(target.column)
    people = target.entity in ("contacts", "leads") and not of_somebody_else(seen.header)
    if look is None or seen.personal.get(look, 0.0) < _CERTAIN or not people:
        return named
    return _MEDIUM - _BONUS


def _weights(table: Mapping[str, Scores], size: int) -> list[float]:
    """Return how much each column says of the entity: what fits many of them says little."""
    weights = []
    for place in range(size):
        fitting = sum(bool(scores.get(place)) and scores[place][0][0] >= _MEDIUM for scores in table.values())
        weights.append(1 / (1 + math.log(fitting)) if fitting else 0.0)
    return weights


def _entity_score(
    entity: str, columns: Sequence[Seen], scores: Scores, weights: Sequence[float], names: Sequence[str]
) -> float:
    """Return how well an entity explains the columns, 0 to 1 and a little more."""
    taken = _assigned(entity, columns, scores)
    explained = sum(weights[place] * match.score for place, match in taken.items() if match.score >= _LOW)
    score = explained / (sum(weights) or 1.0)
    mapped = {match.column: place for place, match in taken.items() if match.score >= _MEDIUM}
    key = [name for name in record_key(entities.BY_NAME[entity]) if name != "source"]
    score -= 0.2 * sum(name not in mapped for name in key) / len(key)
    own = called(entity)
    spoken = sum(without(name_of(seen.header), own) is not name_of(seen.header) for seen in columns)
    around = sum(
        place not in taken and name_of(seen.header) in beside(entity) for place, seen in enumerate(columns)
    )
    score += (0.4 * spoken + 0.4 * around) / max(len(columns), 1)
    if key[-1] in mapped and len(key) == 1:
        header = name_of(columns[mapped[key[0]]].header)
        score += 0.12 if without(header, own) is not header else 0.03
    if entity == "accounts" and _names_people(columns, scores):
        score -= _PEOPLE_NO_FIRMS
    return score + 0.25 * max((_called(name, entity) for name in names), default=0.0)


def _names_people(columns: Sequence[Seen], scores: Scores) -> bool:
    """Tell whether what is most likely the name of an account is that of a person."""
    named = [
        (by, place) for place, listed in scores.items() for _, by, _, one in listed if one.column == "name"
    ]
    return bool(named) and of_people(columns[max(named)[1]])


def _called(name: str, entity: str) -> float:
    """Return whether a file's name is that of an entity: 1, or 0."""
    told = name_of(name)
    bare = Name(tuple(word for word in told.words if not word.isdigit()), told.han)
    return float(any(alike(bare, own) >= _HIGH for own in called(entity)) or entity in name.lower())


def _assigned(entity: str, columns: Sequence[Seen], scores: Scores) -> dict[int, Match]:
    """Return the best match of each column, each canonical one given once; the surest first."""
    pairs = sorted(
        (
            (total, named, fits, place, target)
            for place, listed in scores.items()
            for total, named, fits, target in listed
        ),
        key=lambda one: (-one[0], -one[1], one[3], one[4].column),
    )
    taken: dict[int, Match] = {}
    given: dict[str, float] = {}
    for total, named, fits, place, target in pairs:
        if place in taken or total < _LOW:
            continue
        second = target.column in given
        if second and not (
            min(total, named) >= _HIGH and _may_be_second(target.column, place, columns, taken)
        ):
            continue
        if _is_reserved(pairs, named, place, target, taken):
            continue
        match = _match(columns[place], target, total, named, fits)
        if second and target.column not in _SURE_OF_SEVERAL:
            match = _at_most(match, "medium", "where the other is empty")
        if rival := _rival(scores[place], total, target, given):
            match = _at_most(match, "medium", f"it may be {rival}, too")
        if other := _other(pairs, named, place, target, columns, taken):
            match = _at_most(match, "medium", f"{other!r} may be it, too")
        taken[place] = match
        given.setdefault(target.column, total)
    return _doubting_numbers(columns, index(entity).targets, _doubting_amounts(columns, taken))


def _doubting_amounts(columns: Sequence[Seen], taken: dict[int, Match]) -> dict[int, Match]:
    """Say of an amount that it may be another one, where the file has more sums of money than core has places for."""
    others = [seen.header for place, seen in enumerate(columns) if place not in taken and _is_sum(seen)]
    if not others:
        return taken
    return {
        place: _at_most(match, "medium", f"{others[0]!r} is a sum of money, too")
        if match.column == "amount"
        else match
        for place, match in taken.items()
    }


def _doubting_numbers(
    columns: Sequence[Seen], targets: Mapping[str, Target], taken: dict[int, Match]
) -> dict[int, Match]:
    """Say of what differs in every row that it may number the records, where nothing else does."""
    if any(targets[match.column].record for match in taken.values()):
        return taken
    return {
        place: _at_most(match, "medium", "it may be the record's own number")
        if columns[place].key and columns[place].base == "string"
        else match
        for place, match in taken.items()
    }


def _is_sum(seen: Seen) -> bool:
    return seen.base in ("decimal", "double") and bool(_SUM.search(seen.header))


def _may_be_second(column: str, place: int, columns: Sequence[Seen], taken: Mapping[int, Match]) -> bool:
    """Tell whether a column may stand beside the one that was taken; of people a name beside their id."""
    if column not in _PEOPLES:
        return column in SEVERAL
    name = name_of(columns[place].header)
    firsts = [name_of(columns[other].header) for other, match in taken.items() if match.column == column]
    return any(first.bag ^ name.bag == {"id"} for first in firsts)


def _is_reserved(
    pairs: Sequence[tuple[float, float, float, int, Target]],
    named: float,
    place: int,
    target: Target,
    taken: Mapping[int, Match],
) -> bool:
    """Tell whether another column is called so outright, though its values are not: then this one is not it."""
    return named < _LIKE and any(
        found.column == target.column and other >= _OUTRIGHT and elsewhere != place and elsewhere not in taken
        for _, other, _, elsewhere, found in pairs
    )


def _rival(
    listed: Sequence[tuple[float, float, float, Target]],
    total: float,
    target: Target,
    given: Mapping[str, float],
) -> str:
    """Return another canonical column that fits a column nearly as well; empty for none."""
    for other, _, _, found in listed:
        if found.column != target.column and found.column not in given and other > total - _CLOSE:
            return found.column
    return ""


def _other(
    pairs: Sequence[tuple[float, float, float, int, Target]],
    named: float,
    place: int,
    target: Target,
    columns: Sequence[Seen],
    taken: Mapping[int, Match],
) -> str:
    """Return the header of another column whose name fits a canonical one nearly as well; empty for none."""
    if target.column in _SURE_OF_SEVERAL:
        return ""
    for _, other, _, elsewhere, found in pairs:
        if (
            elsewhere != place
            and found.column == target.column
            and other > named - _CLOSE
            and elsewhere not in taken
        ):
            return columns[elsewhere].header
    return ""


def _match(seen: Seen, target: Target, total: float, named: float, fits: float) -> Match:
    confidence: Confidence = "high" if min(total, named) >= _HIGH else "medium" if total >= _MEDIUM else "low"
    match = Match(target.column, min(total, 1.0), confidence, _why(named, fits, target, seen))
    if not seen.filled:
        return _at_most(match, "medium", "it is empty here")
    for unsure, why in _doubts(seen, target):
        if unsure:
            match = _at_most(match, "medium", why)
    return match


def _doubts(seen: Seen, target: Target) -> Iterator[tuple[bool, str]]:
    """Yield what else may speak against being sure, with the words for it."""
    yield is_custom(seen.header), "a field that the company added"
    yield target.column in _SHARES, "core wants a share from 0 to 1: mind the scale"
    by_id = re.search(r"(?:ids?|guid|uuid)$", seen.header.strip(), re.IGNORECASE)
    outside = target.reference and target.column not in record_key(entities.BY_NAME[target.entity])
    yield outside and not by_id, "a name or a number may be another than the id"


def _why(named: float, fits: float, target: Target, seen: Seen) -> str:
    name = (
        "its name says so"
        if named >= _HIGH
        else "its name is like it"
        if named >= _MEDIUM
        else "its name hints at it"
    )
    if named <= _MEDIUM - _BONUS and _BY_LOOK.get(target.column) in seen.personal:
        name = "its name says nothing"
    if fits > 0:
        return f"{name}, its values fit"
    if fits < 0:
        return f"{name}, its values do not look like it"
    return name


def _at_most(match: Match, confidence: Confidence, why: str) -> Match:
    order = ("low", "medium", "high")
    if order.index(match.confidence) <= order.index(confidence):
        return match
    return replace(match, confidence=confidence, why=f"{match.why}; {why}")
