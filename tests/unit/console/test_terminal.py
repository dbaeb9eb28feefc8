"""What people see: tables that fit, numbers that can be read, and text that is only text."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from lakehouse.console import terminal
from lakehouse.outbound.delivery_counts import count_rows
from lakehouse.outbound.records import Run

STATUS = {
    "ingest": {
        "files": 3, "received": 12345, "loaded": 12340, "duplicates": 4, "quarantined": 1, "in_flight": 0,
        "balanced": True,
    },
    "tables": {
        "raw.events": {"rows": 12340, "files": 2, "bytes": 3_500_000, "snapshots": 1, "latest": "2026-01-02T03:04:05"},
        "ops.audit_log": {"rows": 0, "files": 0, "bytes": 0, "snapshots": 0, "latest": None},
    },
    "deliveries": {
        "hubspot_segments": {
            "selected": 10, "sent": 5, "removed": 1, "unchanged": 2, "failed": 0, "unknown": 0, "in_flight": 0,
            "withheld": {"consent": 2, "projection": 0, "quiet_hours": 1, "suppressed": 0, "no_address": 0},
            "withheld_until": {"quiet_hours": ["2026-03-02T08:00:00+00:00", "2026-03-03T09:00:00+00:00"]},
            "balanced": False,
        }
    },
}  # fmt: skip


@pytest.fixture
def screen(monkeypatch):
    """Give a terminal of some width; calling it returns what stands there."""

    def make(width: int) -> io.StringIO:
        paper = io.StringIO()
        monkeypatch.setattr(terminal, "out", Console(file=paper, width=width, highlight=False))
        return paper

    return make


def test_status_in_words_and_numbers_with_separators(screen):
    """Counts, sizes and times as people write them; nothing as a dash."""
    paper = screen(200)
    terminal.show_status(STATUS)
    said = paper.getvalue()
    for text in (
        "12,345",
        "3 MiB",
        "2026-01-02\u00a003:04",
        "2 consent, 1 quiet hours",
        "books balance",
        "in flight",
    ):
        assert text in said
    assert "quarantine list" in said  # where to look for the one row
    balance, *reasons = [line.split("│")[-2].strip() for line in said.splitlines() if "hubspot" in line]
    assert balance == "no"
    assert [reason[:20] for reason in reasons] == ["nobody said yes for ", "it is night where th"]
    assert "(until 2026-03-02 08:00 UTC, the last until 2026-03-03 09:00 UTC)" in reasons[1]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, ""),
        (["2026-03-02T08:00:00+00:00"] * 2, " (until 2026-03-02 08:00 UTC)"),
    ],
)
def test_until_when_is_said_where_it_is_known(span, text):
    """Once, where it is the same for all."""
    assert terminal.until_text(span) == text


def test_every_reason_that_is_counted_is_explained():
    """In words that need no glossary."""
    run = Run("news", "1", "p", "t", {}, "d", *[0] * 11)
    assert count_rows(run, [])["withheld"].keys() == terminal._WITHHELD.keys()


def test_a_table_whose_model_is_wrong_says_so(screen):
    """With file, reason and line, as text."""
    paper = screen(80)
    wrong = "mine.sql: Binder Error: [no] such column (line 3)"
    tables = {"marts.rfm": STATUS["tables"]["raw.events"] | {"wrong": wrong}}
    terminal.show_status(STATUS | {"tables": tables})
    assert f"marts.rfm keeps its old rows: {wrong}" in paper.getvalue()


def test_names_of_rows_are_never_folded(screen):
    """A name that is cut in two cannot be copied."""
    paper = screen(80)
    terminal.show_status(STATUS)
    assert "hubspot_segments" in paper.getvalue()


def test_an_empty_lake_says_how_to_begin(screen):
    """No empty tables for people."""
    paper = screen(80)
    terminal.show_status({"ingest": {**STATUS["ingest"], "quarantined": 0}, "tables": {}, "deliveries": {}})
    said = " ".join(paper.getvalue().split())
    assert "There are no tables yet: `lakehouse put" in said
    assert "Nothing was sent to a CRM yet." in said
    assert "quarantine group" not in said


def test_rows_that_fit_are_a_table(screen):
    """With the columns' own names, numbers right and to the last digit."""
    paper = screen(80)
    terminal.show_rows(
        ["customer_id", "sum(amount)"], [["c1", Decimal("1234567.80")], ["c2", None]], more=False
    )
    assert "│ c1          │  1234567.80 │" in paper.getvalue()
    assert "│ c2          │           – │" in paper.getvalue()


def test_rows_that_do_not_fit_are_lists_of_their_columns(screen):
    """Twenty columns in eighty characters are a table that nobody can read."""
    paper = screen(60)
    names = [f"column_{number}" for number in range(8)]
    terminal.show_rows(names, [[f"value {number}" for number in range(8)]] * 2, more=True)
    lines = paper.getvalue().splitlines()
    assert lines[:2] == ["row 1", "  column_0: value 0"]
    assert lines[9] == "row 2"
    assert lines[-1].startswith("… these are the first 2 rows")


def test_many_rows_that_do_not_fit_are_lists_of_what_they_hold(screen):
    """Neither folded letter by letter, nor turned into more columns; what is empty is left out, optional or not."""
    paper = screen(60)
    names = ["file", *(f"column_{number}" for number in range(8))]
    rows = [[f"f{row}", *("a value of words" for _ in range(7)), None] for row in range(6)]
    terminal.out.print(terminal.grid("In quarantine", names, rows, optional=("column 0",)))
    lines = paper.getvalue().splitlines()
    assert lines[:3] == ["In quarantine", "f0", "  column 0: a value of words"]
    assert lines[8:10] == ["  column 6: a value of words", "f1"]
    assert len(lines) == 1 + 6 * 8


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (1, ("file",), "1 file"),
        (0, ("file",), "0 files"),
        (1200, ("file",), "1,200 files"),
        (2, ("address", "addresses"), "2 addresses"),
    ],
)
def test_what_is_counted_is_in_the_right_number(count, words, text):
    """Of one and of many."""
    assert terminal.counted(count, *words) == text


def test_no_rows_are_a_table_without_rows(screen):
    """The columns still say what was asked."""
    paper = screen(60)
    terminal.show_rows(["customer_id"], [], more=False)
    assert "customer_id" in paper.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (12345, "12345"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.00"), "0.00"),
        ("[red]a\tb\n\x1b[31m\x9b", r"[red]a\tb\n\x1b[31m\x9b"),
        ("客户 é", "客户 é"),
    ],
)
def test_a_value_is_one_line_of_text(value, text):
    """Whatever came from outside is shown, not obeyed."""
    assert terminal.plain(value) == text


def test_a_table_fits_eighty_columns(screen):
    """Texts are folded between words, optional columns go, and a wide row becomes a column; no line is too long."""
    paper = screen(80)
    numbers = dict.fromkeys(("selected", "sent", "removed", "unchanged", "failed", "unknown"), 1234567)
    sync = numbers | {"in_flight": 0, "balanced": True, "withheld": {"consent": 1_825, "suppressed": 1_252}}
    terminal.show_deliveries({"hubspot_segments": sync})
    names = ("table", "rows", "files", "size", "snapshots", "last commit (UTC)")
    row = ["raw.salesforce_opportunity_history", 34_800_000, 1_200, "999 MiB", 50, "2026-11-28\u00a022:34"]
    terminal.out.print(terminal.grid("Tables", names, [row] * 9, optional=("snapshots", "files")))
    meaning = "What people of the company did for a customer, and when, and by whom it was done"
    terminal.show_rows(["schema", "table", "rows", "meaning"], [["raw", "x" * 30, 5, meaning]], more=False)
    lines = paper.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "│ selected" in text
    assert "raw.salesforce_opportunity_history" in text
    assert "snapshots" not in text
    assert "row 1" not in text
    assert all(word in text for word in meaning.split())


def test_hints_name_the_data_folder_unless_it_is_the_default(screen):
    """Without `--data` they would speak of another stack; a hint is never folded, so that it can be copied."""
    empty = {"ingest": {**STATUS["ingest"], "quarantined": 0}, "tables": {}, "deliveries": {}}
    paper = screen(80)
    terminal.show_status(STATUS, Path("my [lake]"))
    terminal.show_status(empty, Path("my [lake]"))
    lines = paper.getvalue().splitlines()
    assert "Why rows are quarantined: lakehouse quarantine list --data 'my [lake]'" in lines
    assert (
        "There are no tables yet: `lakehouse put SOURCE/ENTITY FILE --data 'my [lake]'` lands files, "
        "`lakehouse up --data 'my [lake]'` loads them."
    ) in lines
    paper = screen(80)
    terminal.show_status(STATUS)
    assert "--data" not in paper.getvalue()
