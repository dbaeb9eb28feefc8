"""Types, formats, notes and SQL of a draft's columns."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import ColumnDescription, PersonalShare
from lakehouse.sources.suggest.draft_columns import DraftColumn, by_core_column, draft_columns, printable
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.match_columns import Match
from lakehouse.sources.suggest.policy import DraftPolicy


def column(header, type_="string", formats=(), **more):
    """Return a column of nine full rows, whose values are written in these formats."""
    personal = tuple(
        PersonalShare(kind, share, hinted=False) for kind, share in more.pop("personal", {}).items()
    )
    description = ColumnDescription(
        type_, formats=dict.fromkeys(formats, 1.0), personal=personal, entity_hints=more.pop("hints", ())
    )
    return FileColumn(header, description, rows=9, filled=more.pop("filled", 9), **more)


def drafted(file_column, core="", entity="orders", confidence="high"):
    """Return a column's draft, where it was matched with a canonical column or with none."""
    matches = {0: Match(core, 1.0, confidence, "its name says so")} if core else {}
    (draft_column,) = draft_columns([file_column], matches, entity)
    return draft_column


@pytest.mark.parametrize(
    ("file_column", "core", "type_", "formats"),
    [
        (column("Note"), "", "string", ()),
        (column("Props", "json"), "", "string", ()),
        (column("Placed", "date"), "ordered_at", "timestamptz", ()),
        (column("Placed", "date"), "", "date", ()),
        (column("Placed", "date", loads=1.0), "ordered_at", "timestamptz", ()),
        (column("Placed", "long", ["epoch s"]), "ordered_at", "long", ()),
        (column("Total", "int"), "amount", "decimal(18,2)", ()),
        (column("Total", "decimal(18,0)"), "amount", "decimal(18,2)", ()),
        (column("Total", "decimal(38,4)"), "amount", "decimal(38,4)", ()),
        (column("Visits", "int"), "", "long", ()),
        (column("Store No", "int"), "", "string", ()),
        (column("门店编号", "int"), "", "string", ()),
        (column("Status", "int"), "status", "string", ()),
        (column("Empty", "int", filled=0), "", "string", ()),
        (column("Paid", "boolean"), "", "boolean", ()),
        (column("Total", "decimal(18,2)", loads=0.5), "", "string", ()),
    ],
)
def test_types(file_column, core, type_, formats):
    """What nearly all values load as, and core can take; what numbers something stays text."""
    draft_column = drafted(file_column, core)
    assert (draft_column.type, draft_column.formats) == (type_, formats)


@pytest.mark.parametrize(
    ("file_column", "core", "note"),
    [
        (
            column("Placed", "date", ["d-m-yy or m-d-yy"], ambiguous=True),
            "ordered_at",
            "unsure: d-m-yy or m-d-yy:",
        ),
        (column("Placed", "long", ["epoch s"]), "ordered_at", "counted since 1970, UTC"),
        (
            column("Total", "int", ["1,234"], loads=0.5),
            "",
            "kept as text: 50% of the values would not load as int (w",
        ),
        (column("Total", "int", loads=DraftPolicy.least_loaded), "", "2.0% of the values would be set aside"),
        (column("Phone", personal={"damaged_phone": 0.001}), "", "some of the phones are damaged"),
        (column("Phone", personal={"damaged_phone": 0.25}), "", "25% of the phones are damaged"),
        (column("x", personal={"chinese_id": 0.5}), "", "identity numbers: think of"),
        (column("x", hints=("bank_card",)), "", "numbers of bank cards: think of"),
        (
            column("x", personal={"email_inside_text": 0.1, "phone_inside_text": 0.1}),
            "",
            "text with email and phone",
        ),
    ],
)
def test_notes(file_column, core, note):
    """What whoever reads the draft should know, and what may be done about it."""
    (found,) = drafted(file_column, core).notes
    assert found.startswith(note)


@pytest.mark.parametrize(
    ("file_column", "core", "entity", "sql", "doubt"),
    [
        (column("Email"), "email", "contacts", "lower(email)", ""),
        (column("Status"), "status", "orders", "status", ""),
        (
            column("Took", hints=("clock",)),
            "duration_s",
            "activities",
            "epoch(TRY_CAST(took AS INTERVAL))",
            "",
        ),
        (column("Minutes", "int"), "duration_s", "activities", "minutes * 60", ""),
        (
            column("Chance", "int"),
            "probability",
            "deals",
            "CASE WHEN chance > 1 THEN chance / 100 ELSE chance END",
            "",
        ),
        (column("Placed", "long", ["epoch s"]), "ordered_at", "orders", "to_timestamp(placed)", ""),
        (column("Placed", "long", ["epoch ms"]), "ordered_at", "orders", "to_timestamp(placed / 1000)", ""),
        (column("Placed", loads=0.9), "ordered_at", "orders", "read_moment(placed)", ""),
        (
            column("Placed", loads=0.4),
            "ordered_at",
            "orders",
            "read_moment(placed)",
            "no format reads",
        ),
        (
            column("Placed", "date", ambiguous=True),
            "ordered_at",
            "orders",
            "read_moment(placed)",
            "day and month cannot be told apart",
        ),
    ],
)
def test_sql_for_core(file_column, core, entity, sql, doubt):
    """In the type and unit of core; what may not be read lowers the confidence."""
    draft_column = drafted(file_column, core, entity)
    assert draft_column.expression == sql
    assert draft_column.confidence == ("low" if doubt else "high")
    assert doubt in draft_column.why


@pytest.mark.parametrize(
    ("file_column", "core", "entity", "pii"),
    [
        (column("x", personal={"ip": 0.01}), "", "orders", True),
        (column("Mobile"), "", "orders", True),
        (column("Remark"), "", "orders", False),
        (column("x", hints=("bank_card",)), "", "orders", True),
        (column("Brand", personal={"name": 1.0}), "brand", "products", False),
        (column("Email"), "email", "contacts", True),
    ],
)
def test_what_is_personal(file_column, core, entity, pii):
    """By its values, its header, or because core says so; names of brands are nobody's."""
    assert drafted(file_column, core, entity).pii is pii


def test_a_low_confidence_is_not_mapped():
    """It is only said that the column may be one of core's."""
    assert drafted(column("Status"), "status").is_mapped
    assert not drafted(column("Status"), "status", confidence="low").is_mapped
    assert not drafted(column("Status")).is_mapped


def test_columns_by_what_core_gets():
    """The best first, parts last, and without those that core does not get."""
    columns = [
        DraftColumn("a", "a", "string", "d", core="name", confidence="medium", score=0.9, role="first_name"),
        DraftColumn("b", "b", "string", "d", core="name", confidence="high", score=0.7),
        DraftColumn("c", "c", "string", "d", core="name", confidence="high", score=0.8),
        DraftColumn("d", "d", "string", "d", core="status", confidence="low", score=0.8),
    ]
    assert {core: [column.name for column in found] for core, found in by_core_column(columns).items()} == {
        "name": ["c", "b", "a"]
    }


def test_texts_in_one_line():
    """Line breaks and what cannot be shown become a space."""
    assert printable("a\n b\u2028\x00c") == "a b c"
