"""One canonical column for each column of a file, and how sure that is."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.suggest.candidates import find_candidates
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.match_columns import Match, at_most, match_columns, with_parts

ROWS = 30
IDS = [f"A{number}" for number in range(ROWS)]
AMOUNTS = [f"{number}.50" for number in range(ROWS)]
EMAILS = [f"ann{number}@example.com" for number in range(ROWS)]


def column(header, values):
    """Return a column of these values, each in one row."""
    distinct = len(set(values))
    description = describe(header, {value: values.count(value) for value in values})
    return FileColumn(header, description, ROWS, len(values), distinct, key=distinct == ROWS)


def matched(entity, *columns):
    """Return the canonical column and the confidence of each column of a file, by its header."""
    found = match_columns(entity, columns, find_candidates(entity, columns))
    return {columns[index].header: (match.column, match.confidence) for index, match in found.items()}


def test_a_canonical_column_is_given_once():
    """To the column that is called so best."""
    file = (
        column("Order ID", IDS),
        column("Order Status", ["open"] * ROWS),
        column("Status 2", ["new"] * ROWS),
    )
    matches = matched("orders", *file)
    assert matches["Order ID"] == ("order_id", "high")
    assert matches["Order Status"][0] == "status"
    assert matches.get("Status 2", ("", ""))[0] != "status"


def test_two_emails_may_stand_beside_each_other():
    """The first that is filled counts, and both are sure."""
    matches = matched(
        "contacts", column("Contact ID", IDS), column("Email", EMAILS), column("E-mail", EMAILS)
    )
    assert matches["Email"] == matches["E-mail"] == ("email", "high")


def test_an_amount_beside_another_sum_is_doubted():
    """Core has one place, and the file two sums of money."""
    alone = matched("orders", column("Order ID", IDS), column("Order Amount", AMOUNTS))
    beside = matched(
        "orders", column("Order ID", IDS), column("Order Amount", AMOUNTS), column("Sum due", AMOUNTS)
    )
    assert alone["Order Amount"] == ("amount", "high")
    assert beside["Order Amount"] == ("amount", "medium")


def test_an_empty_column_is_not_sure():
    """Its name is all there is."""
    assert (
        matched("orders", column("Order ID", IDS), column("Order Status", []))["Order Status"][1] == "medium"
    )


def test_without_a_record_id_no_id_is_sure():
    """What differs in every row may be the record's own number."""
    assert matched("orders", column("Customer ID", IDS))["Customer ID"][1] == "medium"


@pytest.mark.parametrize(
    ("confidence", "most", "expected", "why"),
    [
        ("high", "medium", "medium", "name; doubt"),
        ("medium", "medium", "medium", "name"),
        ("low", "medium", "low", "name"),
        ("high", "high", "high", "name"),
    ],
)
def test_a_doubt_lowers_confidence(confidence, most, expected, why):
    """It is named where it changed something, and never makes anything surer."""
    match = at_most(Match("status", 1.0, confidence, "name"), most, "doubt")
    assert (match.confidence, match.why) == (expected, why)


def test_a_postal_code_is_a_part_of_the_address():
    """It points to the street that it belongs to."""
    columns = (column("Street", ["1 Dock Road"] * ROWS), column("Zip", ["94100"] * ROWS))
    matches = with_parts("contacts", columns, {0: Match("address", 1.0, "high", "its name says so")})
    assert (matches[1].column, matches[1].partner, matches[1].confidence) == ("address", 0, "medium")
    assert matches[1].role
