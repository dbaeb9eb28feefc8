"""How good suggestions are: each column of an export against its right answer, and a report of all sets.

`python -m tests.support.suggest_scores` prints the scores, `-v` what is wrong or missing, too. Sets are exports made up
for it, samples of the shipped definitions, and the exports of the generated company, with their own headers and
renamed. Where a definition ships, its core mapping is the right answer.
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
from lakehouse.sources.headers import normal
from lakehouse.sources.mappable_entities import EACH, ENTITIES, TOGETHER, WHERE
from lakehouse.stages.suggest_source import suggest
from tests.support.dialects import TUNED
from tests.support.held_back import HELD_BACK
from tests.support.held_back_further import FURTHER
from tests.support.held_back_renamed import BY_HAND
from tests.support.held_back_systems import SYSTEMS
from tests.support.renamed_exports import NAMES, Company

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceColumn
    from lakehouse.sources.suggest.file_settings import Draft
    from tests.support.exports import Export

SETS = {
    "tuned": TUNED,
    "by hand": BY_HAND,
    "systems": SYSTEMS,
    "further systems": FURTHER,
    "held back": HELD_BACK,
}
RENAMED = (("", ""), *((which, language) for which, languages in NAMES.items() for language in languages))
SAMPLES = Path(__file__).parents[1] / "samples"
Answers = dict[str, set[str]]  # by header, in its normal form: the canonical columns that it becomes
# Fields that the company added to its CRMs: no definition that ships knows them, but what they are in core is plain.
_ADDED: dict[str, Answers] = {
    "hubspot/tickets": {"order number": {"order_id"}, "satisfaction": {"satisfaction"}},
    "salesforce/cases": {"order_number__c": {"order_id"}, "satisfaction__c": {"satisfaction"}},
    "zoho/cases": {"order number": {"order_id"}, "satisfaction": {"satisfaction"}},
}
_NO_COLUMNS = ("identifier_type", WHERE, EACH, TOGETHER)
_PARTS_OF_NAME = ("first_name", "last_name")


@dataclass
class Allowance:
    """What is no error either. `acceptable`: canonical columns that a header may be suggested as, too.

    These are what the definition takes for identifiers of the customer: a suggestion names them as whose record it is.
    `shared` says of canonical columns that are made of several columns of the file which these are.
    """

    acceptable: Answers = field(default_factory=dict)
    shared: Answers = field(default_factory=dict)


@dataclass
class Score:
    """Columns that have a right answer, those suggested right, and those suggested wrong by how sure that was."""

    asked: int = 0
    right: int = 0
    wrong: dict[str, list[str]] = field(default_factory=lambda: {"high": [], "medium": []})
    missing: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.right / self.asked if self.asked else 1.0

    def add(
        self, name: str, draft: Draft, entity: str, answers: Answers, allowance: Allowance | None = None
    ) -> None:
        """Count a draft; only what stands in core counts as suggested, what is noted as unsure does not."""
        allowance = allowance or Allowance()
        suggestions = {normal(column.header): column.core for column in draft.columns if column.is_mapped}
        label = f"{name} ({draft.choice.entity})"
        for column in draft.columns:
            header = normal(column.header)
            right, suggested = answers.get(header, set()), suggestions.get(header, "")
            if not suggested and _is_served(header, answers, suggestions, allowance.shared):
                continue
            self.asked += bool(right)
            if draft.choice.entity == entity and suggested in right:
                self.right += 1
                continue
            is_wrong = suggested and suggested not in allowance.acceptable.get(header, ())
            if is_wrong and column.confidence:
                self.wrong[column.confidence].append(f"{label}: {column.header} as {suggested}")
            if right:
                self.missing.append(f"{label}: {column.header} is {', '.join(sorted(right))}")


def _is_served(header: str, answers: Answers, suggestions: dict[str, str], shared: Answers) -> bool:
    """Tell whether all that a column becomes is suggested from another that the mapping takes, too.

    A mapping may say `coalesce(owner_id, owner)`; a suggestion of either gives core its owner. Whose record it is, a
    suggestion also says by the contact.
    """
    if header not in answers:
        return False
    for core in answers[header]:
        others = {suggestions.get(other) for other in shared.get(core, ()) if other != header}
        accepted = {core, "contact_id"} if core == "identifier_value" else {core}
        if not others & accepted:
            return False
    return True


def drafted(export: Export) -> Draft:
    """Return what is suggested for an export, its entity guessed."""
    with tempfile.TemporaryDirectory() as folder:
        return suggest(Settings(scratch=Path(folder)), export.write(Path(folder)), source="sample")


drafted_once = cache(drafted)


def score(exports: Iterable[Export], draft: Callable[[Export], Draft] = drafted_once) -> Score:
    """Return the score of some exports."""
    total = Score()
    for export in exports:
        asked = {normal(header): {right} for header, right, _ in export.columns if right}
        total.add(export.name, draft(export), export.entity, asked)
    return total


def answers_of(source: Source, entity: str) -> Answers:
    """Return the canonical columns that each header of a source becomes, as its definition maps them.

    Where it joins given and family name to one, either of core's own columns for them is right, too.
    """
    answers: Answers = {}
    for core, named in _mapped(source, entity):
        split = core == "name" and len(named) > 1 and set(_PARTS_OF_NAME) <= set(ENTITIES[entity])
        for column in named:
            for header in map(normal, column.names):
                answers.setdefault(header, set()).update((core, *(_PARTS_OF_NAME if split else ())))
    return answers


def allowance_of(source: Source, entity: str) -> Allowance:
    """Return what is no error of a suggestion for a source, and what it makes of several columns."""
    allowance = Allowance()
    for core, named in _mapped(source, entity):
        if len(named) > 1:
            allowance.shared.setdefault(core, set()).update(
                normal(name) for column in named for name in column.names
            )
    for identifier in source.identifiers:
        for column in source.columns:
            if _names(identifier.value, column.name):
                for header in map(normal, column.names):
                    allowance.acceptable.setdefault(header, set()).add("identifier_value")
    return allowance


def _mapped(source: Source, entity: str) -> Iterator[tuple[str, list[SourceColumn]]]:
    """Yield each canonical column that a source maps to an entity, with the columns that its SQL names."""
    for mapping in source.mappings(entity):
        for core, expression in mapping.items():
            if core not in _NO_COLUMNS:
                yield core, [column for column in source.columns if _names(expression, column.name)]


def _names(expression: str, column: str) -> bool:
    return bool(re.search(rf"(?<![\w']){column}(?![\w'])", expression))


def mapped() -> Iterator[tuple[Source, str]]:
    """Yield each shipped definition that maps to core, with the entity it maps to first."""
    for source in definition.load().values():
        core = [name for name in source.core if name != "consents"]
        if core:
            yield source, core[0]


def samples(folder: Path = SAMPLES) -> Iterator[tuple[Source, str, Path]]:
    """Yield each definition that has a sample, the entity it maps to first, and the sample."""
    for source, entity in mapped():
        for path in sorted((folder / source.source).glob(f"{source.entity}.*")):
            if path.suffix != ".yaml":  # what is expected of it
                yield source, entity, path


def score_samples(folder: Path = SAMPLES) -> Score:
    """Return the score of the samples, the entity of each given."""
    total = Score()
    for source, entity, path in samples(folder):
        with tempfile.TemporaryDirectory() as scratch:
            draft = suggest(Settings(scratch=Path(scratch)), path, source="sample", core_entity=entity)
        total.add(
            f"{source.source}/{path.name}",
            draft,
            entity,
            answers_of(source, entity),
            allowance_of(source, entity),
        )
    return total


def score_company(company: Company, which: str = "", language: str = "") -> Score:
    """Return the score of the company's exports with their own headers, or renamed; the entity of each is guessed."""
    total = Score()
    for source, entity in mapped():
        source_key = f"{source.source}/{source.entity}"
        answers = answers_of(source, entity) | _ADDED.get(source_key, {})
        allowance = allowance_of(source, entity)
        for path, own in company.exports(source_key, which, language):
            with tempfile.TemporaryDirectory() as scratch:
                draft = suggest(Settings(scratch=Path(scratch)), path, source="sample")
            new = {normal(old): normal(header) for header, old in own.items()}
            total.add(
                f"{source_key} {language}".strip(),
                draft,
                entity,
                _renamed(answers, new),
                Allowance(
                    _renamed(allowance.acceptable, new),
                    {
                        core: {new.get(old, old) for old in headers}
                        for core, headers in allowance.shared.items()
                    },
                ),
            )
    return total


def _renamed(answers: Answers, new: dict[str, str]) -> Answers:
    """Return answers under the new headers."""
    return {new.get(header, header): columns for header, columns in answers.items()}


def _report(name: str, total: Score, *, verbose: bool) -> None:
    wrong = ", ".join(f"{len(listed)} wrong with {sure} confidence" for sure, listed in total.wrong.items())
    sys.stdout.write(f"{name}: {total.right} of {total.asked} right ({total.share:.1%}), {wrong}\n")
    if verbose:
        errors = {**total.wrong, "missing": total.missing}
        sys.stdout.writelines(f"  {kind}  {line}\n" for kind, lines in errors.items() for line in lines)


def main(*arguments: str) -> None:
    """Print the score of all sets, or of those named."""
    verbose, asked = "-v" in arguments, [word for word in arguments if word != "-v"]
    with tempfile.TemporaryDirectory() as folder:
        company = Company(Path(folder))
        for name, exports in SETS.items():
            if not asked or name in asked:
                _report(name, score(exports), verbose=verbose)
        if SAMPLES.is_dir() and (not asked or "samples" in asked):
            _report("samples", score_samples(), verbose=verbose)
        for which, language in RENAMED:
            name = f"{which} {language}".strip() or "company"
            if not asked or name in asked:
                _report(name, score_company(company, which, language), verbose=verbose)


if __name__ == "__main__":
    main(*sys.argv[1:])
