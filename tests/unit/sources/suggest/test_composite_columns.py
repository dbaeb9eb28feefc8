"""Columns that are a part of a canonical one, and the one that they belong to."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.suggest.composite_columns import find_parts
from lakehouse.sources.suggest.evidence import FileColumn


def column(header, *values):
    """Return a column of a file."""
    return FileColumn(header, describe(header, dict.fromkeys(values, 1)), 9, 9, len(values))


def roles(entity, taken, *columns):
    """Return role and partner of each part, by its header."""
    parts = find_parts(entity, columns, taken)
    return {columns[index].header: (part.role, part.partner) for index, part in parts.items()}


def test_the_postal_code_of_the_same_address():
    """And no other's; without a street there is no address."""
    columns = (column("Mailing Street"), column("Mailing Zip"), column("Other Zip"))
    found = roles("contacts", {0: "address"}, *columns)
    assert set(found) == {"Mailing Zip"}
    assert found["Mailing Zip"][1] == 0
    assert roles("contacts", {}, *columns) == {}


def test_a_second_line_needs_a_first():
    """`Street 2` belongs to `Street 1`, not to any street."""
    assert set(roles("contacts", {0: "address"}, column("Address Line 1"), column("Address Line 2"))) == {
        "Address Line 2"
    }
    assert roles("contacts", {0: "address"}, column("Address"), column("Address Line 2")) == {}


@pytest.mark.parametrize("headers", [("First Name", "Last Name"), ("名", "姓")])
def test_given_and_family_name(headers):
    """Both or none, where core has one field for them."""
    first, last = headers
    assert roles("leads", {}, column(first), column(last)) == {
        first: ("first_name", 1),
        last: ("last_name", 0),
    }
    assert roles("leads", {}, column(first)) == {}
    assert roles("contacts", {}, column(first), column(last)) == {}


def test_country_and_state_make_a_region():
    """Where both are codes; a country that core has already is not taken away from it."""
    country, state = column("Country Code", "US", "NO"), column("State Code", "CA", "TX")
    assert roles("accounts", {}, country, state) == {
        "Country Code": ("country", 1),
        "State Code": ("state", 0),
    }
    assert roles("accounts", {0: "country"}, country, state) == {"State Code": ("state", 0)}
    assert roles("accounts", {}, column("Country", "Norway"), state) == {}
    assert roles("accounts", {0: "country", 2: "region_code"}, country, state, column("Region")) == {}
