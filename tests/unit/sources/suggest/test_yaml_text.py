"""A draft as the text of a definition."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from lakehouse.sources.suggest.choose import Choice
from lakehouse.sources.suggest.draft_columns import DraftColumn
from lakehouse.sources.suggest.file_settings import Draft
from lakehouse.sources.suggest.guesses import Guess
from lakehouse.sources.suggest.identifiers import CoreColumn, DraftIdentifier
from lakehouse.sources.suggest.yaml_text import as_yaml

DRAFT = Draft(
    source="shop",
    entity="sales",
    choice=Choice("activities", {"activities": 0.9, "orders": 0.8}, sure=True, matches={}),
    format="csv",
    rows=2000,
    sampled=1000,
    columns=(
        DraftColumn("No", "no", "long", "A number.", required=True, core="activity_id", confidence="high"),
    ),
    key=Guess("no"),
    time_zone=Guess("UTC"),
    core=(CoreColumn("activity_id", "no", "high"),),
)


def test_the_text_is_a_definition():
    """It reads back as what was drafted."""
    definition = yaml.safe_load(as_yaml(DRAFT))
    assert definition["source"] == "shop"
    assert definition["grain"] == "one row a received version of an activity"
    assert definition["key"] == definition["sort"] == ["no"]
    assert definition["columns"] == [
        {"name": "no", "from": "No", "type": "long", "required": True, "doc": "A number."}
    ]
    assert definition["core"] == {"activities": {"activity_id": "no"}}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, "# Suggested by `lakehouse sources suggest` from 1,000 of 2,000 rows."),
        ({}, "# It seems to be activities (0.90); next: orders 0.80."),
        ({}, "    # no updated_at: of two versions of a record, the one that was loaded later counts"),
        (
            {"choice": replace(DRAFT.choice, sure=False)},
            "# unsure: the next is as likely: `--as ENTITY` says which it is.",
        ),
        ({"notes": ("one\ntwo",)}, "# unsure: one two"),
        ({"key": Guess("no", "by chance", sure=False)}, "# unsure: key: by chance"),
        ({"time_zone": Guess("UTC", "no zone", sure=False)}, "# unsure: no zone"),
        ({"sheet": "Ann's"}, 'sheet: "Ann\'s"'),
        ({"encoding": "gb18030"}, "encoding: gb18030"),
        ({"core": ()}, "# core:  # unsure: nothing is certain enough to be mapped to activities"),
        ({"core": (CoreColumn("kind", "kind", "medium"),)}, "    kind: kind  # medium"),
        ({"unsure": (CoreColumn("kind", "k", "why"),)}, "    # unsure: kind: k  # why"),
        ({"identifiers": (DraftIdentifier("email", "mail", sure=True),)}, "  - {type: email, value: mail}"),
        (
            {"identifiers": (DraftIdentifier("email", "mail", sure=False),)},
            "  # - {type: email, value: mail}  # unsure: is it the customer's own?",
        ),
        (
            {"columns": (DraftColumn("A", "a", "string", "d"),)},
            "  # A: nothing of core; it stays a column here",
        ),
        (
            {"columns": (DraftColumn("A", "a", "string", "d", core="kind", confidence="low", why="w"),)},
            "  # A: unsure, kind perhaps, low: w",
        ),
        (
            {"columns": (DraftColumn("A", "a", "string", "d", notes=("unsure: x", "y")),)},
            "  # note: y",
        ),
    ],
)
def test_what_is_unsure_stands_in_a_comment(change, line):
    """One line for each thing that whoever reads the draft should look at."""
    assert line in as_yaml(replace(DRAFT, **change)).splitlines()
