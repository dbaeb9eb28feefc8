"""Which rows below a blank line are another table."""

from __future__ import annotations

import pytest

from lakehouse.sources import table_below

PEOPLE = ("id", "name", "email", "city")
SOME_PEOPLE = [["C1", "Ada Quill", "a@x.de", "Graz"], ["C2", "Bo Reed", "", "Linz"]]
CLERKS = ("contact_id", "name", "title", "city")
SOME_CLERKS = [["C1", "Ada", "Clerk", "Graz"], ["C2", "Bo", "Head of Ops", "Linz"]]
ORDERS = ("order_id", "name", "email", "amount")
AN_ORDER = [["4711", "Ada", "a@x.de", "12.50"]]
TOWNS = ("name", "city")
SOME_TOWNS = [["Ada", "Graz"], ["Bo", "Linz"]]


@pytest.mark.parametrize(
    ("names", "above", "below"),
    [
        (PEOPLE, SOME_PEOPLE, [["Region", "Revenue"], ["North", "12.50"]]),
        (PEOPLE, SOME_PEOPLE, [["Code", "Product", "Kind", "Place"], ["P1", "Widget", "Tool", "Linz"]]),
        (CLERKS, SOME_CLERKS, [["Region", "Revenue"], ["North", "12.50"]]),
        (CLERKS, SOME_CLERKS, [["Product", "Units", "", ""], ["Widget", "12", "", ""]]),
        (CLERKS, SOME_CLERKS, [["Stock"], ["Code", "Product", "Kind", "Place"], ["P1", "Widget", "Tool", "Linz"]]),
        (CLERKS, SOME_CLERKS, [["Region", "Manager"], ["North", "Ada"]]),
        (CLERKS, SOME_CLERKS, [["Region", "2025", "2026"], ["North", "12", "15"]]),
        (CLERKS, SOME_CLERKS, [["地区", "销售额"], ["华东", "12.5"]]),
        (CLERKS, SOME_CLERKS, [["Code", "Product", "Kind", "Place", "Stock"], ["P1", "Widget", "Tool", "Linz", "3"]]),
        (ORDERS, AN_ORDER, [["Code", "Product", "", "Price"], ["P1", "Widget", "", "9.99"]]),
        (TOWNS, SOME_TOWNS, [["Product", "Units"], ["Widget", "12"], ["Gadget", "3"]]),
    ],
)  # fmt: skip
def test_another_table(names, above, below):
    """Its names stand where no word stands above, or its rows have another shape."""
    assert table_below.is_another_table(names, above, below)


@pytest.mark.parametrize(
    ("names", "above", "below"),
    [
        (CLERKS, SOME_CLERKS, [["ADMIN", "Root", "Boss", "Graz"], ["C7", "Fay", "Clerk", "Linz"]]),  # an id of words
        (CLERKS, SOME_CLERKS, [["C7", "Fay", "Clerk", "Linz"], ["C8", "Gus", "Clerk", "Linz"]]),
        (CLERKS, SOME_CLERKS, [["name", "contact_id", "city"], ["Fay", "C7", "Linz"]]),  # its own names
        (CLERKS, SOME_CLERKS, [["Team North"], ["C7", "Fay", "Clerk", "Linz"]]),  # a title above more of them
        (CLERKS, SOME_CLERKS, [["All people"], ["Example Co"]]),
        (CLERKS, SOME_CLERKS, [["Region", "Manager"]]),  # no row below it
        (CLERKS, SOME_CLERKS, [["", "Fay Hart", "Clerk", "Linz"], ["", "Gus Hill", "Clerk", "Wels"]]),
        (ORDERS, AN_ORDER, [["ADMIN", "Root", "none", "n/a"], ["4712", "Fay", "b@x.de", "1"]]),
        (ORDERS, AN_ORDER, [["GUEST", "Fay", "", "7.00"], ["4712", "Fay", "", "1"]]),
        (ORDERS, AN_ORDER, [["GUEST", "Fay", ""], ["WALK-IN", "Bo", "b@x.de", "7.00"]]),  # names above nothing
        (TOWNS, SOME_TOWNS, [["Cy Wren", "Wien"], ["Di Lark", "Enns"]]),
        (TOWNS, SOME_TOWNS, [["Cy Wren", "Wien"], ["Di Lark", "12"]]),
        (("name",), [["Ada"]], [["Region", "Units"], ["North", "1"]]),
        (CLERKS, [], [["Region", "Revenue"], ["North", "12.50"]]),  # nothing to compare with
    ],
)  # fmt: skip
def test_more_of_the_same_table(names, above, below):
    """A group of records begins with one, whatever stands above it."""
    assert not table_below.is_another_table(names, above, below)


def test_the_header_once_more():
    """In any order, and below a title; what else there is is not the table's own."""
    assert table_below.is_own_header(CLERKS, [["Team South"], ["Name", "contact_id", "", "city"]])
    assert not table_below.is_own_header(CLERKS, [["name", "region"]])
    assert not table_below.is_own_header(CLERKS, [["", ""]])
