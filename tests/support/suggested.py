"""How good suggestions are: each column of an export against its right answer, and a report of all sets.

`python -m tests.support.suggested` prints the scores, those of the shipped definitions' samples too, where there are
any: below `tests/samples/<source>/<entity>.*`, with the definition's own core mapping as the right answer.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.settings import Settings
from lakehouse.sources import definition
from lakehouse.stages.suggest import suggest
from tests.support.by_hand import BY_HAND
from tests.support.dialects import TUNED
from tests.support.further_systems import FURTHER
from tests.support.held_back import HELD_BACK
from tests.support.systems import SYSTEMS

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source
    from lakehouse.sources.suggest.whole import Draft
    from tests.support.exports import Export

SETS = {
    "tuned": TUNED,
    "by hand": BY_HAND,
    "systems": SYSTEMS,
    "further systems": FURTHER,
    "held back": HELD_BACK,
}
SAMPLES = Path(__file__).parents[1] / "samples"


@dataclass
class Score:
    """Columns that have a right answer, those suggested right, and those suggested wrong by how sure that was."""

    asked: int = 0
    right: int = 0
    wrong: dict[str, list[str]] = field(default_factory=lambda: {"high": [], "medium": []})

    @property
    def share(self) -> float:
        return self.right / self.asked if self.asked else 1.0

    def add(self, name: str, draft: Draft, entity: str, answers: dict[str, set[str]]) -> None:
        """Count a draft; only what stands in core counts as suggested, what is told as unsure does not."""
        for column in draft.columns:
            right = answers.get(column.header, set())
            said = column.core if column.certain else ""
            self.asked += bool(right)
            if draft.chosen.entity == entity and said in right:
                self.right += 1
            elif said and column.confidence:
                self.wrong[column.confidence].append(f"{name}: {column.header} as {said}")


def drafted(export: Export) -> Draft:
    """Return what is suggested for an export, its entity guessed."""
    with tempfile.TemporaryDirectory() as folder:
        return suggest(Settings(scratch=Path(folder)), export.write(Path(folder)), source="sample")


drafted_once = cache(drafted)


def score(exports: Iterable[Export], draft: Callable[[Export], Draft] = drafted_once) -> Score:
    """Return the score of some exports."""
    total = Score()
    for export in exports:
        answers = {header: {right} for header, right, _ in export.columns if right}
        total.add(export.name, draft(export), export.entity, answers)
    return total


def answers_of(source: Source, entity: str) -> dict[str, set[str]]:
    """Return the canonical columns that each header of a source becomes, as its definition maps them."""
    found: dict[str, set[str]] = {}
    for mapping in source.mappings(entity):
        for name, expression in mapping.items():
            for column in source.columns:
                if re.search(rf"(?<![\w']){column.name}(?![\w'])", expression):
                    found.setdefault(column.origin, set()).add(name)
    return found


def samples(folder: Path = SAMPLES) -> Iterator[tuple[Source, str, Path]]:
    """Yield each definition that has a sample, the entity it maps to first, and the sample."""
    for (source, entity), found in definition.load().items():
        for path in sorted((folder / source).glob(f"{entity}.*")):
            if path.suffix == ".yaml":  # what is expected of it
                continue
            core = [name for name in found.core if name != "consents"]
            if core:
                yield found, core[0], path


def score_samples(folder: Path = SAMPLES) -> Score:
    """Return the score of the samples, told which entity each is."""
    total = Score()
    for source, entity, path in samples(folder):
        with tempfile.TemporaryDirectory() as scratch:
            draft = suggest(Settings(scratch=Path(scratch)), path, source="sample", told=entity)
        total.add(path.name, draft, entity, answers_of(source, entity))
    return total


def _tell(name: str, found: Score) -> None:
    wrong = ", ".join(f"{len(listed)} wrong with {sure} confidence" for sure, listed in found.wrong.items())
    sys.stdout.write(f"{name}: {found.right} of {found.asked} right ({found.share:.1%}), {wrong}\n")


if __name__ == "__main__":
    for name, exports in SETS.items():
        _tell(name, score(exports))
    if SAMPLES.is_dir():
        _tell("samples", score_samples())
