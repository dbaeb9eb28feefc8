"""Who may be written to in the cases that people reported of other software: all in one lake, by what is shipped.

`tests/reported_consent/right.yaml` has what arrives, step by step, and what is right.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from lakehouse.privacy import consent
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.resolve import resolve
from tests.support.filled_lake import company_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.small_company import SmallCompany

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "reported_consent" / "right.yaml").read_text("utf-8")
)
JSON_LINES = ("consent", "web")  # sources whose files have no header


def files_of(step: int) -> dict[tuple[str, str], list[str]]:
    """Return the lines of all cases' files of a step, by place and header, each case's together."""
    files: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in CASES:
        for place, text in (case["steps"][step] if step < len(case["steps"]) else {}).items():
            header, *lines = text.splitlines()
            if place.split("/")[0] in JSON_LINES:
                files[place, ""] += [header, *lines]
            else:
                files[place, header] += lines
    return files


class Played(NamedTuple):
    """What the gate lets through, by address its purposes and channels; and how many rows of which place were bad."""

    allowed: dict[str, set[str]]
    set_aside: dict[str, int]


def play(company: SmallCompany) -> Played:
    """Load every step, bring people and consents up to it, and ask the gate."""
    set_aside: dict[str, int] = {}
    for step in range(max(len(case["steps"]) for case in CASES)):
        for number, ((place, header), lines) in enumerate(files_of(step).items()):
            suffix = "csv" if header else "ndjson"
            text = "\n".join([header] * bool(header) + lines) + "\n"
            outcome = company.load(place, f"{step}-{number}.{suffix}", text)
            if bad := sum(record.quarantined for record in outcome.records):
                set_aside[f"step {step}: {place}"] = bad
        resolve(company.settings)
    refresh_consents(company.settings)
    asked: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for purpose, channel, who, address in company.ask(
        "SELECT purpose, channel, customer_id, address FROM core.consent_answers WHERE address <> ''"
    ):
        asked[purpose, channel].add((who, address))
    found: dict[str, set[str]] = defaultdict(set)
    for (purpose, channel), pairs in asked.items():
        granted = consent.grants(company.settings, sorted(pairs), purpose, channel, datetime.now(UTC))
        assert not granted.unanswered
        for _, address in granted.consent_ids:
            found[address].add(f"{purpose} {channel}")
    return Played(dict(found), set_aside)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with company_in(tmp_path_factory.mktemp("lake")) as company:
        yield play(company)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_whom_the_gate_lets_through(case: dict[str, Any], played: Played) -> None:
    """Those whom the case names, for what it names, and nobody else in it."""
    right = {address: set(topics) for address, topics in case.get("allowed", {}).items()}
    said = "".join(text.lower() for step in case["steps"] for text in step.values())
    assert {address: topics for address, topics in played.allowed.items() if address in said} == right


def test_every_row_is_read(played: Played) -> None:
    """A refusal that is set aside is one that nobody heeds until somebody looks."""
    assert played.set_aside == {}
