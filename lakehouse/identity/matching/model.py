"""The numbers of a model: how often levels of agreement are seen of one person's records, and by chance.

A model is a file, and frozen: the same records get the same weights until somebody trains it again. It belongs to the
comparisons of `lakehouse.identity.matching.comparisons` as they are; one made for others is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import BadDefinition
from lakehouse.identity.matching.comparisons import COMPARISONS
from lakehouse.identity.matching.policy import MatchPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "crm-lakehouse match model 1"


@dataclass(frozen=True, slots=True)
class Chances:
    """Of a comparison, by level, what differs last: probabilities within a person's records (m), and by chance (u)."""

    m: tuple[float, ...]
    u: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How often the most frequent values of a column occur, as shares of all that are filled, and any other value."""

    shares: Mapping[str, float]
    other: float


@dataclass(frozen=True, slots=True)
class Model:
    """`records`: how many there were when chance was weighed; `frequencies`: by column, none where nothing was counted.

    `names_tell`: of the neighbours whose names contradict, which share has different birth dates, too; None if unknown.
    """

    chances: Mapping[str, Chances]
    records: int = 0
    frequencies: Mapping[str, Frequencies] = field(default_factory=dict)
    names_tell: float | None = None

    @property
    def vetoes(self) -> bool:
        """Return whether contradicting names part what the model ties: not where they are mostly mistakes."""
        return self.names_tell is None or self.names_tell >= MatchPolicy.names_tell_from

    @property
    def prior(self) -> float:
        """Return the probability that two records taken at random are one person's."""
        records = max(self.records, MatchPolicy.fewest_records)
        return 2 * MatchPolicy.duplicates / (records - 1)

    def save(self, path: Path) -> None:
        """Write the model as JSON with its version."""
        path.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")

    def as_json(self) -> dict[str, Any]:
        """Return the model as JSON has it."""
        return {
            "format": FORMAT,
            "comparisons": comparisons_version(),
            "records": self.records,
            "names_tell": self.names_tell,
            "chances": {name: {"m": each.m, "u": each.u} for name, each in self.chances.items()},
            "frequencies": {
                name: {"other": each.other, "shares": dict(each.shares)}
                for name, each in self.frequencies.items()
            },
        }


@lru_cache(maxsize=1)
def comparisons_version() -> str:
    """Return what names the comparisons as they are: it changes with any of their levels."""
    text = json.dumps(
        [
            [each.name, each.missing, [[lv.label, lv.sql, lv.frequency] for lv in each.levels]]
            for each in COMPARISONS
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def default_model() -> Model:
    """Return the model that ships with the package, for Chinese and Western records; it counts no frequencies."""
    return read_model(
        (files("lakehouse.identity.matching") / "default_model.json").read_text("utf-8"), "the default"
    )


def load_model(path: Path) -> Model:
    """Read a model that `Model.save` wrote; `BadDefinition` says what is wrong with it, or of which version it is."""
    try:
        return read_model(path.read_text("utf-8"), path.name)
    except FileNotFoundError:
        raise BadDefinition(
            f"match model {path.name} is not there: train one, or name none for the default"
        ) from None


def read_model(text: str, name: str) -> Model:
    """Return the model that a text holds; `BadDefinition` for another version, and for numbers that are none."""
    try:
        said = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadDefinition(f"match model {name} is no JSON (line {error.lineno}): train it again") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BadDefinition(
            f"match model {name} has the format {_short(said)}, this version reads {FORMAT!r}: train it again"
        )
    if said.get("comparisons") != comparisons_version():
        raise BadDefinition(
            f"match model {name} was made for other comparisons ({said.get('comparisons')}, here "
            f"{comparisons_version()}): train it again, which is a migration with a report of merges and splits"
        )
    try:
        model = Model(
            {name: Chances(tuple(each["m"]), tuple(each["u"])) for name, each in said["chances"].items()},
            int(said["records"]),
            {
                name: Frequencies(each["shares"], float(each["other"]))
                for name, each in said["frequencies"].items()
            },
            None if said["names_tell"] is None else float(said["names_tell"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDefinition(
            f"match model {name} is damaged ({type(error).__name__}): train it again"
        ) from None
    _check_chances(model, name)
    return model


def _check_chances(model: Model, name: str) -> None:
    """Raise `BadDefinition` unless every level of every comparison has both of its probabilities."""
    for comparison in COMPARISONS:
        chances = model.chances.get(comparison.name, Chances((), ()))
        for side in (chances.m, chances.u):
            probabilities = [value for value in side if isinstance(value, float) and 0 < value < 1]
            if len(probabilities) != len(comparison.levels) + 1:
                raise BadDefinition(
                    f"match model {name} lacks a probability of {comparison.name}: each of its "
                    f"{len(comparison.levels)} levels, and what differs, needs one between 0 and 1; train it again"
                )


def _short(said: object) -> str:
    found = said.get("format") if isinstance(said, dict) else said
    return repr(found)[:60]
