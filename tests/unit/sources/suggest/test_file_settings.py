"""A whole draft from columns and the entity that was chosen."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.suggest.choose import Choice
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.file_settings import FileSettings, draft
from lakehouse.sources.suggest.match_columns import Match

FILE = FileSettings("shop", "sales", rows=9, sampled=9, notes=("a note",))


def column(header, *values, filled=9):
    """Return a column of nine rows."""
    return FileColumn(header, describe(header, dict.fromkeys(values, 1)), 9, filled, len(values))


def drafted(columns, matches, entity="orders"):
    """Return the draft of columns with these matches, by their index."""
    found = {index: Match(core, 1.0, confidence, "why") for index, (core, confidence) in matches.items()}
    return draft(FILE, columns, Choice(entity, {entity: 1.0}, sure=True, matches=found))


def test_core_gets_what_is_sure_and_the_rest_is_noted():
    """A column that core has already is not proposed again."""
    columns = [column("No", "1"), column("State", "new"), column("Status", "new"), column("Channel", "web")]
    matches = {0: ("order_id", "high"), 1: ("status", "medium"), 2: ("status", "low"), 3: ("channel", "low")}
    result = drafted(columns, matches)
    assert [(core.column, core.expression, core.why) for core in result.core] == [
        ("order_id", "no", "high"),
        ("status", "state", "medium"),
    ]
    assert [core.column for core in result.unsure] == ["channel"]


@pytest.mark.parametrize(("filled", "required"), [(9, True), (8, False)])
def test_a_full_key_is_required(filled, required):
    """A key that some rows lack is none that every row must have."""
    result = drafted([column("No", "1", filled=filled)], {0: ("order_id", "high")})
    assert result.key.value == "no"
    assert result.columns[0].required is required


def test_a_missing_key_is_noted():
    """Beside the notes of the file."""
    result = drafted([column("State", "new")], {0: ("status", "high")})
    assert result.notes[0] == "a note"
    assert "order_id, which core.orders is keyed by" in result.notes[1]


@pytest.mark.parametrize(
    ("header", "values", "region"),
    [("邮箱", ("a@b.io",), "'CN'"), ("Email", ("a@b.io",), "")],
)
def test_phones_without_a_country_are_chinese_in_chinese_files(header, values, region):
    """Where the row has identifiers; else there is no region to name."""
    result = drafted([column(header, *values)], {0: ("email", "high")}, "contacts")
    assert result.region == region
    assert result.identifiers
    assert (result.record, result.seen_at) == ("'shop:sales:' || _file_id || ':' || _row", "_loaded_at")


def test_without_identifiers_there_is_no_record():
    """Nor a time at which they were seen."""
    result = drafted([column("No", "1")], {0: ("order_id", "high")})
    assert (result.identifiers, result.record, result.seen_at, result.region) == ((), "", "", "")
