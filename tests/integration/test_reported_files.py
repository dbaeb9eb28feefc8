"""Small files of the kinds that people reported of other software: all in one lake, each read right.

`tests/reported/<case>/<source>__<entity>/<file>`; `tests/reported/right.yaml` says what is right, and where it was met.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lakehouse import settings
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.sources import definition
from lakehouse.stages.suggest_source import suggest
from tests.support.filled_lake import Filled, filled_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "reported"
RIGHT: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "right.yaml").read_text("utf-8"))
FILES = {str(path.relative_to(FOLDER)): path for path in sorted(FOLDER.glob("*/*__*/*"))}
PLACES = {name: (*path.parent.name.split("__"), name) for name, path in FILES.items()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    paths = {PLACES[name]: path for name, path in FILES.items()}
    with filled_lake(tmp_path_factory.mktemp("lake"), paths) as lake:
        yield lake


def test_every_file_is_judged(filled: Filled) -> None:
    """And the books balance, and no model breaks on any of them."""
    assert RIGHT.keys() == FILES.keys()
    assert filled.unbalanced == ()
    assert filled.wrong == []


@pytest.mark.parametrize("name", FILES)
def test_what_loads_says_what_the_file_says(filled: Filled, name: str) -> None:
    """Cell by cell, whatever came beside it."""
    place = PLACES[name]
    table = definition.load()[place[0], place[1]].table
    found = filled.con.sql(
        f"SELECT _row, columns(* EXCLUDE (_row, _file_id, _loaded_at))::VARCHAR FROM {table} "
        f"WHERE _file_id = '{filled.records[place].file_id}'"
    )
    rows = {
        row[0]: {column: cell for column, cell in zip(found.columns[1:], row[1:], strict=True) if cell is not None}
        for row in found.fetchall()
    }  # fmt: skip
    assert rows == RIGHT[name].get("rows", {})


@pytest.mark.parametrize("name", FILES)
def test_what_does_not_load_is_set_aside_with_its_own_text(filled: Filled, name: str) -> None:
    """A row's code and text; never those of its neighbour."""
    record = filled.records[PLACES[name]]
    expected = RIGHT[name].get("set_aside", {})
    assert record.received == record.loaded + len(expected)
    if not expected:
        return
    rows = {row["row"]: row for row in bad_rows.read(settings.current().ops_bucket, record)}
    assert {number: row["code"] for number, row in rows.items()} == {
        number: code for number, (code, *_) in expected.items()
    }
    for number, (_, *text) in expected.items():
        assert not text or rows[number]["original"] == text[0]


def customers(filled: Filled, kind: str, like: str) -> tuple[int, int]:
    """Return how many identifiers there are, and how many customers have them."""
    ((identifiers, people),) = filled.ask(
        "SELECT count(*), count(DISTINCT customer_id) FROM core.identities "
        f"WHERE identifier_type = '{kind}' AND regexp_full_match(identifier_value, '{like}')"
    )
    return identifiers, people


@pytest.mark.parametrize(
    ("kind", "like", "count"),
    [
        (
            "crm_id",
            "K20-.*",
            12,
        ),  # twelve contacts with NULL, #N/A, nan, \N and 0 as ids, phones and addresses
        ("crm_id", "N45-.*", 3),
        ("anonymous_id", "an45-.*", 25),  # signed in as undefined, (not set), {{user_id}}
        ("anonymous_id", r"1884518522\..*", 2),  # they differ in the last of twenty digits
        ("user_id", r"4711(\.0)?", 1),  # text, number and fraction: one
        ("crm_id", "C11-.*", 2),
        ("list_contact", "合计|共2条|制表人.*", 0),
    ],
)
def test_people_are_told_apart(filled: Filled, kind: str, like: str, count: int) -> None:
    """No placeholder ties anybody to anybody, and no line that is no record is a person."""
    assert customers(filled, kind, like) == (count, count)


def test_an_error_cell_is_nobody(filled: Filled) -> None:
    """`#N/A` for a customer: the orders stay, without one."""
    rows = filled.ask(
        "SELECT order_id, customer_id FROM core.orders WHERE order_id LIKE 'X08-%' ORDER BY ALL"
    )
    assert rows == [("X08-2", None), ("X08-3", None)]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("de.csv", "Betrag"),
        ("de2.csv", "total"),
        ("us.csv", "Total"),
        ("us.csv", "Order Date"),
        ("us2.csv", "total"),
        ("born.csv", "birthday"),
        ("hs.csv", "Record ID"),
        ("epoch.csv", "total"),
    ],
)
def test_nothing_is_suggested_as_sure_that_is_not(filled: Filled, name: str, column: str) -> None:
    """A thousand or three decimals, a day or a month, a century, an id that a spreadsheet rounded."""
    draft = suggest(settings.current(), FOLDER / "in-41-suggest" / name)
    (found,) = (each for each in draft.columns if each.header == column)
    assert not found.core or found.confidence != "high"
