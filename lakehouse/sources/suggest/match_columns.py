"""Gives each column of a file the canonical column that it most likely is, and says how sure that is, and why."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lakehouse.sources.mappable_entities import record_key
from lakehouse.sources.suggest.candidates import Candidate, Candidates
from lakehouse.sources.suggest.composite_columns import find_parts
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.name_index import name_index
from lakehouse.sources.suggest.policy import ConfidencePolicy
from lakehouse.sources.suggest.words import is_custom_field, name_of
from lakehouse.tables import entities

Confidence = Literal["high", "medium", "low"]
_CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")
# A record may have two of them: the first that is filled counts, of changes the last.
_MAY_REPEAT = (
    "phone",
    "email",
    "owner_id",
    "user_id",
    "website",
    "lead_source",
    "outcome",
    "updated_at",
)
_REPEAT_SURELY = ("phone", "email")
_REPEAT_BESIDE_ID = ("owner_id", "user_id")  # only as the name of a person beside the id
_SHARES = ("satisfaction", "rating")
_FRACTIONS = ("decimal", "double")
_TIMES = ("timestamptz", "date")
_BORN = ("contacts", "leads")  # whose only day is a birthday sooner than anything else
_SUM = re.compile(r"amount|amt|total|sum\b|paid|due|金额|总|款|合计|小计", re.IGNORECASE)
_ENDS_WITH_ID = re.compile(r"(?:ids?|guid|uuid)$", re.IGNORECASE)


@dataclass(frozen=True)
class Match:
    """A file's column as a canonical one: how sure, and why. `score` is 0 to 1.

    `role`: it is only a part of it, as `composite_columns` says; `partner` the index of the column that goes with it.
    """

    column: str
    score: float
    confidence: Confidence
    why: str
    role: str = ""
    partner: int | None = None


Matches = dict[int, Match]  # by the index of the file's column


def match_columns(entity: str, columns: Sequence[FileColumn], candidates: Candidates) -> Matches:
    """Return the best match of each column, the surest first; a canonical column is given once, but for a few.

    Columns that are none of the entity's are left out.
    """
    matching = _Matching(columns, candidates)
    matches = _doubt_amounts(columns, matching.run())
    matches = _doubt_other_ids(entity, columns, matches)
    return matches | _only_time(entity, columns, matches)


def with_parts(entity: str, columns: Sequence[FileColumn], matches: Matches) -> Matches:
    """Return matches with those of columns that are only a part of a canonical one, such as a postal code."""
    taken = {index: match.column for index, match in matches.items() if match.confidence != "low"}
    score = ConfidencePolicy.medium
    parts = {
        index: Match(part.column, score, "medium", part.why, part.role, part.partner)
        for index, part in find_parts(entity, columns, taken).items()
    }
    return matches | parts


def at_most(match: Match, confidence: Confidence, why: str) -> Match:
    """Return a match that is no surer than this, and why it is not; the same where it was not surer."""
    if _CONFIDENCES.index(match.confidence) <= _CONFIDENCES.index(confidence):
        return match
    return replace(match, confidence=confidence, why=f"{match.why}; {why}")


class _Matching:
    """Goes through all candidates, the best first, and takes those that are free."""

    def __init__(self, columns: Sequence[FileColumn], candidates: Candidates) -> None:
        self._columns = columns
        self._by_column = candidates
        self._ranked = sorted(itertools.chain(*candidates.values()), key=_best_first)
        self._matches: Matches = {}
        self._given: set[str] = set()

    def run(self) -> Matches:
        for candidate in self._ranked:
            if self._may_match(candidate):
                self._matches[candidate.column_index] = self._match(candidate)
                self._given.add(candidate.target.column)
        return self._matches

    def _may_match(self, candidate: Candidate) -> bool:
        if candidate.column_index in self._matches or candidate.score < ConfidencePolicy.low:
            return False
        if candidate.target.column in self._given and not self._may_repeat(candidate):
            return False
        return not self._is_reserved(candidate)

    def _may_repeat(self, candidate: Candidate) -> bool:
        """Tell whether a column may stand beside the one that was taken; of people a name beside their id."""
        column = candidate.target.column
        if candidate.least < ConfidencePolicy.high:
            return False
        if column not in _REPEAT_BESIDE_ID:
            return column in _MAY_REPEAT
        name = name_of(self._columns[candidate.column_index].header)
        taken = [index for index, match in self._matches.items() if match.column == column]
        return any(name_of(self._columns[index].header).word_set ^ name.word_set == {"id"} for index in taken)

    def _is_reserved(self, candidate: Candidate) -> bool:
        """Tell whether another column is called so outright, though its values are not: then this one is not it."""
        if candidate.name >= ConfidencePolicy.vague_name:
            return False
        return any(other.name >= ConfidencePolicy.outright_name for other in self._free_for(candidate))

    def _match(self, candidate: Candidate) -> Match:
        """Return the match of a candidate that may be one, with all that speaks against being sure."""
        column = candidate.target.column
        match = _match_alone(self._columns[candidate.column_index], candidate)
        if column in self._given and column not in _REPEAT_SURELY:
            match = at_most(match, "medium", "where the other is empty")
        if rival := self._rival_target(candidate):
            match = at_most(match, "medium", f"it may be {rival}, too")
        if header := self._rival_header(candidate):
            match = at_most(match, "medium", f"{header!r} may be it, too")
        return match

    def _rival_target(self, candidate: Candidate) -> str:
        """Return another canonical column that fits a column nearly as well; empty for none."""
        for other in self._by_column[candidate.column_index]:
            column = other.target.column
            if column == candidate.target.column or column in self._given:
                continue
            if other.score > candidate.score - ConfidencePolicy.rival_margin:
                return column
        return ""

    def _rival_header(self, candidate: Candidate) -> str:
        """Return the header of another column whose name fits a canonical one nearly as well; empty for none."""
        if candidate.target.column in _REPEAT_SURELY:
            return ""
        least = candidate.name - ConfidencePolicy.rival_margin
        rivals = [other for other in self._free_for(candidate) if other.name > least]
        return self._columns[rivals[0].column_index].header if rivals else ""

    def _free_for(self, candidate: Candidate) -> Iterator[Candidate]:
        """Yield how other columns that have no match yet fit the same canonical column, the best first."""
        for other in self._ranked:
            if other.target.column != candidate.target.column or other.column_index in self._matches:
                continue
            if other.column_index != candidate.column_index:
                yield other


def _best_first(candidate: Candidate) -> tuple[float, float, int, str]:
    return (-candidate.score, -candidate.name, candidate.column_index, candidate.target.column)


def _match_alone(column: FileColumn, candidate: Candidate) -> Match:
    """Return a match as the column's own name and values have it."""
    match = Match(
        candidate.target.column, min(candidate.score, 1.0), _confidence(candidate), _reason(candidate)
    )
    if not column.filled:
        return at_most(match, "medium", "it is empty here")
    for doubt in _doubts(column, candidate):
        match = at_most(match, "medium", doubt)
    if candidate.signals.contradict_surely:
        match = at_most(match, "low", "so it stays out of core")
    if column.may_have_thousands and candidate.target.type.startswith("decimal"):
        match = at_most(match, "low", "1.234 or 1,234 may be more than a thousand, or have three decimals")
    return match


def _confidence(candidate: Candidate) -> Confidence:
    if candidate.least >= ConfidencePolicy.high:
        return "high"
    return "medium" if candidate.score >= ConfidencePolicy.medium else "low"


def _reason(candidate: Candidate) -> str:
    """Return in words what speaks for a candidate, and against it."""
    signals = candidate.signals
    if signals.only_look:
        reason = "its name says nothing"
    elif signals.name >= ConfidencePolicy.high:
        reason = "its name says so"
    elif signals.name >= ConfidencePolicy.medium:
        reason = "its name is like it"
    else:
        reason = "its name hints at it"
    if signals.values_fit:
        return f"{reason}, its values fit"
    if signals.values_contradict:
        return f"{reason}, its values do not look like it"
    return reason


def _doubts(column: FileColumn, candidate: Candidate) -> Iterator[str]:
    """Yield what a header says against being sure."""
    target = candidate.target
    if column.has_short_years:
        yield "years have two digits: mind the century"
    if is_custom_field(column.header):
        yield "a field that the company added"
    if target.column in _SHARES:
        yield "core wants a share from 0 to 1: mind the scale"
    in_key = target.column in record_key(entities.BY_NAME[target.entity])
    if target.is_reference and not in_key and not _ENDS_WITH_ID.search(column.header.strip()):
        yield "a name or a number may be another than the id"


def _doubt_amounts(columns: Sequence[FileColumn], matches: Matches) -> Matches:
    """Doubt an amount where the file has more sums of money than core has places for: it may be another of them."""
    others = [
        column.header for index, column in enumerate(columns) if index not in matches and _is_sum(column)
    ]
    if not others:
        return matches
    why = f"{others[0]!r} is a sum of money, too"
    return {
        index: at_most(match, "medium", why) if match.column == "amount" else match
        for index, match in matches.items()
    }


def _doubt_other_ids(entity: str, columns: Sequence[FileColumn], matches: Matches) -> Matches:
    """Doubt what differs in every row where nothing numbers the records: it may be what does."""
    targets = name_index(entity).targets
    if any(targets[match.column].is_record_id for match in matches.values()):
        return matches
    why = "it may be the record's own number"
    return {
        index: at_most(match, "medium", why) if _differs_in_every_row(columns[index]) else match
        for index, match in matches.items()
    }


def _only_time(entity: str, columns: Sequence[FileColumn], matches: Matches) -> Matches:
    """Return the file's only time as the entity's own, whatever it is called; a person has to say so."""
    times = [index for index, column in enumerate(columns) if column.base_type in _TIMES]
    if len(times) != 1 or times[0] in matches or (entity in _BORN and columns[times[0]].base_type == "date"):
        return {}
    for target in name_index(entity).targets.values():
        if target.type == "timestamptz" and target.column != "updated_at":
            why = "its name says nothing, it is the file's only time"
            return {times[0]: Match(target.column, ConfidencePolicy.low, "low", why)}
    return {}


def _is_sum(column: FileColumn) -> bool:
    return column.base_type in _FRACTIONS and bool(_SUM.search(column.header))


def _differs_in_every_row(column: FileColumn) -> bool:
    return column.key and column.base_type == "string"
