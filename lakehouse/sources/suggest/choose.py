"""Chooses which canonical entity a file is; says how sure that is, and what each of its columns is then."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.sources.mappable_entities import record_key
from lakehouse.sources.suggest.candidates import Candidates, find_candidates
from lakehouse.sources.suggest.evidence import FileColumn, holds_people
from lakehouse.sources.suggest.match_columns import Match, Matches, at_most, match_columns, with_parts
from lakehouse.sources.suggest.policy import ConfidencePolicy, EntityPolicy
from lakehouse.sources.suggest.similarity import similarity
from lakehouse.sources.suggest.target_columns import candidate_entities, entity_names, unmapped_names
from lakehouse.sources.suggest.words import Name, name_of, strip_affix
from lakehouse.tables import entities


@dataclass(frozen=True)
class EntityScore:
    """How well an entity explains a file: what each signal adds to the score, which is 0 to 1 and a little more.

    `explained_columns`: the share of its columns that the entity explains, weighted by how much they say of it;
    `missing_key`: columns of the record's key that none is; `entity_names`: headers that have the entity's name, or
    often stand beside it; `record_id`: a column that numbers the records; `people`: names of people in a file of firms;
    `file_name`: the file is called like the entity.
    """

    explained_columns: float
    missing_key: float
    entity_names: float
    record_id: float
    people: float
    file_name: float

    @property
    def total(self) -> float:
        """Return the sum."""
        score = self.explained_columns + self.missing_key + self.entity_names
        return score + self.record_id + self.people + self.file_name


@dataclass(frozen=True)
class Choice:
    """What a file is: the entity, its score and those of the next, and the match of each column by its index.

    `sure`: no other entity comes close, or a person said which it is. A column without a match has none.
    """

    entity: str
    scores: Mapping[str, float]
    sure: bool
    matches: Mapping[int, Match]


def choose_entity(columns: Sequence[FileColumn], entity: str = "", names: Sequence[str] = ()) -> Choice:
    """Return the entity that fits columns best, with the matches of its columns; or the one that a person named.

    `names` are those of the file and its folder: a file orders.csv is likely to hold orders.
    """
    candidates = {name: find_candidates(name, columns) for name in candidate_entities()}
    weights = _column_weights(candidates, len(columns))
    scores = {
        name: _entity_score(name, columns, of_entity, weights, names).total
        for name, of_entity in candidates.items()
    }
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    chosen = entity or ranked[0]
    sure = bool(entity) or _is_sure(chosen, ranked, scores)
    matches = match_columns(chosen, columns, candidates[chosen])
    matches = with_parts(chosen, columns, matches)
    if not sure:
        matches = _doubt_entity(matches, ranked[1])
    shown = {name: _shown(scores[name]) for name in ranked[: EntityPolicy.shown] if scores[name] > 0}
    return Choice(chosen, shown | {chosen: _shown(scores[chosen])}, sure, matches)


def _is_sure(chosen: str, ranked: Sequence[str], scores: Mapping[str, float]) -> bool:
    """Tell whether the best entity's score is high, and far ahead of the next one's."""
    score = scores[chosen]
    second = next(scores[name] for name in ranked if name != chosen)
    return score >= EntityPolicy.least_sure_score and score - second >= EntityPolicy.least_sure_margin


def _doubt_entity(matches: Matches, second: str) -> Matches:
    why = f"it may be {second}, too"
    return {index: at_most(match, "medium", why) for index, match in matches.items()}


def _shown(score: float) -> float:
    return round(min(score, 1.0), 2)


def _column_weights(candidates: Mapping[str, Candidates], number: int) -> list[float]:
    """Return how much each column says of the entity, 0 to 1: what fits many entities says little."""
    weights = []
    for index in range(number):
        best = [of_entity[index][0].score for of_entity in candidates.values() if index in of_entity]
        fitting = sum(score >= ConfidencePolicy.medium for score in best)
        weights.append(1 / (1 + math.log(fitting)) if fitting else 0.0)
    return weights


def _entity_score(
    entity: str,
    columns: Sequence[FileColumn],
    candidates: Candidates,
    weights: Sequence[float],
    names: Sequence[str],
) -> EntityScore:
    """Return how well an entity explains the columns of a file; `names` are the file's."""
    matches = match_columns(entity, columns, candidates)
    likely = {index: match for index, match in matches.items() if match.score >= ConfidencePolicy.medium}
    headers = {match.column: columns[index].header for index, match in likely.items()}
    return EntityScore(
        explained_columns=_explained_share(matches, weights),
        missing_key=_missing_key_score(entity, headers),
        entity_names=_entity_name_score(entity, columns, matches),
        record_id=_record_id_score(entity, headers),
        people=_people_score(entity, columns, candidates),
        file_name=EntityPolicy.file_name * any(_is_called(name, entity) for name in names),
    )


def _explained_share(matches: Matches, weights: Sequence[float]) -> float:
    """Return the share of the columns' weights that matches explain, each by its score."""
    explained = sum(weights[index] * match.score for index, match in matches.items())
    return explained / (sum(weights) or 1.0)


def _key_of(entity: str) -> list[str]:
    return [name for name in record_key(entities.BY_NAME[entity]) if name != "source"]


def _missing_key_score(entity: str, headers: Mapping[str, str]) -> float:
    """Return what columns of the record's key take that no header is likely to be of; `headers` by canonical column."""
    key = _key_of(entity)
    missing = sum(name not in headers for name in key)
    return -(EntityPolicy.missing_key * missing / len(key))


def _record_id_score(entity: str, headers: Mapping[str, str]) -> float:
    """Return what a header adds that is likely the record's id; `headers` by canonical column."""
    key = _key_of(entity)
    if len(key) > 1 or key[0] not in headers:
        return 0.0
    if _has_entity_name(name_of(headers[key[0]]), entity):
        return EntityPolicy.key_with_entity_name
    return EntityPolicy.key_without_entity_name


def _people_score(entity: str, columns: Sequence[FileColumn], candidates: Candidates) -> float:
    """Return what names of people take from accounts, which are firms."""
    if entity == "accounts" and _names_people(columns, candidates):
        return -EntityPolicy.people_no_firms
    return 0.0


def _entity_name_score(entity: str, columns: Sequence[FileColumn], matches: Matches) -> float:
    """Return what headers add that have the entity's name, or often stand beside it without a place in core."""
    headers = [name_of(column.header) for column in columns]
    named = sum(_has_entity_name(header, entity) for header in headers)
    beside = sum(
        index not in matches and header in unmapped_names(entity) for index, header in enumerate(headers)
    )
    score = EntityPolicy.entity_name_in_headers * named + EntityPolicy.unmapped_names * beside
    return score / max(len(columns), 1)


def _has_entity_name(header: Name, entity: str) -> bool:
    return strip_affix(header, entity_names(entity)) is not header


def _names_people(columns: Sequence[FileColumn], candidates: Candidates) -> bool:
    """Tell whether what is most likely the name of an account is that of a person."""
    names = [
        (candidate.name, candidate.column_index)
        for of_column in candidates.values()
        for candidate in of_column
        if candidate.target.column == "name"
    ]
    return bool(names) and holds_people(columns[max(names)[1]])


def _is_called(file_name: str, entity: str) -> bool:
    """Tell whether a file's name is that of an entity."""
    name = name_of(file_name)
    bare = Name(tuple(word for word in name.words if not word.isdigit()), name.han)
    if any(similarity(bare, called) >= ConfidencePolicy.high for called in entity_names(entity)):
        return True
    return entity in file_name.lower()
