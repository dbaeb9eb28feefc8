"""The canonical columns that each column of a file may be, with a score and the signals that made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse.sources.suggest.evidence import FileColumn, is_somebody_elses, name_scores, value_signal
from lakehouse.sources.suggest.name_index import name_index
from lakehouse.sources.suggest.policy import ConfidencePolicy
from lakehouse.sources.suggest.target_columns import Target
from lakehouse.sources.suggest.words import common_prefixes

_LOOKS = {
    "email": "email",
    "phone": "phone",
}  # columns whose values say what they are, and their personal data
_OF_PEOPLE = ("contacts", "leads")


@dataclass(frozen=True)
class Signals:
    """What speaks for a candidate.

    `name`: how much its header says so, 0 to 1. `values`: 1 for those that fit, -1 for those that contradict, 0 for
    nothing either way, a little below 0 for none at all. `look`: a share of its values looks like e-mails or phones,
    which the candidate holds.
    """

    name: float
    values: float
    look: bool = False

    @property
    def values_fit(self) -> bool:
        """Tell whether the values speak for the candidate."""
        return self.values > 0

    @property
    def values_contradict(self) -> bool:
        """Tell whether the values speak against the candidate."""
        return self.values < 0

    @property
    def contradict_surely(self) -> bool:
        """Tell whether the values are none that the candidate may have."""
        return self.values <= -1

    @property
    def only_look(self) -> bool:
        """Tell whether nothing but the look of the values speaks for the candidate."""
        return self.look and self.name <= name_score_by_look()

    @property
    def score(self) -> float:
        """Return how likely the candidate is: 0 to 1, and a little more."""
        if self.values >= 0:
            return self.name + ConfidencePolicy.values_fit * self.values
        return self.name * (1 + ConfidencePolicy.values_contradict * self.values)


@dataclass(frozen=True)
class Candidate:
    """A canonical column that a column of the file, by its index, may be."""

    column_index: int
    target: Target
    signals: Signals
    score: float

    @property
    def name(self) -> float:
        """Return how much its header says so, 0 to 1."""
        return self.signals.name

    @property
    def least(self) -> float:
        """Return the smaller of score and name: what it takes to be sure."""
        return min(self.score, self.signals.name)


Candidates = dict[int, list[Candidate]]  # by the index of the file's column, the best first


def find_candidates(entity: str, columns: Sequence[FileColumn]) -> Candidates:
    """Return the columns of an entity that each column may be; those that may be none are left out."""
    prefixes = common_prefixes(tuple(column.header for column in columns))
    candidates: Candidates = {}
    for column_index, column in enumerate(columns):
        names = name_scores(column.header, entity, prefixes)
        of_column = []
        for target in name_index(entity).targets.values():
            name = names.get(target.column, 0.0)
            if name < ConfidencePolicy.low and _says_by_look(column, target):
                name = name_score_by_look()
            if name >= ConfidencePolicy.low:
                of_column.append(_candidate(column_index, column, target, name))
        if of_column:
            candidates[column_index] = sorted(of_column, key=_best_first)
    return candidates


def name_score_by_look() -> float:
    """Return what the look of values is worth where the header says nothing: with values that fit, just medium."""
    return ConfidencePolicy.medium - ConfidencePolicy.values_fit


def _candidate(column_index: int, column: FileColumn, target: Target, name: float) -> Candidate:
    look = _LOOKS.get(target.column) in column.personal
    signals = Signals(name, value_signal(column, target), look)
    return Candidate(column_index, target, signals, signals.score)


def _says_by_look(column: FileColumn, target: Target) -> bool:
    """Tell whether values alone say what a column is: e-mails of people below `col_7`."""
    look = _LOOKS.get(target.column)
    if look is None or target.entity not in _OF_PEOPLE or is_somebody_elses(column.header):
        return False
    return column.personal.get(look, 0.0) >= ConfidencePolicy.least_look_share


def _best_first(candidate: Candidate) -> tuple[float, float, str]:
    return (-candidate.score, -candidate.name, candidate.target.column)
