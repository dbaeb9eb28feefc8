"""The SQL of a canonical column that several columns of a file become."""

from __future__ import annotations

import pytest

from lakehouse.sources.suggest.composite_sql import core_expression
from lakehouse.sources.suggest.draft_columns import DraftColumn


def column(name, header="", role="", partner=None):
    """Return a column of a draft."""
    return DraftColumn(
        header or name, name, "string", "doc", expression=f"x({name})", role=role, partner=partner
    )


@pytest.mark.parametrize(
    ("core", "sources", "sql"),
    [
        ("status", [column("state")], "x(state)"),
        ("website", [column("site"), column("page")], "coalesce(site, page)"),
        ("email", [column("mail"), column("mail_2")], "lower(coalesce(mail, mail_2))"),
        ("updated_at", [column("edited"), column("synced")], "greatest(x(edited), x(synced))"),
        ("phone", [column("phone"), column("cell", "Cell phone")], "coalesce(cell, phone)"),
        ("owner_id", [column("owner"), column("owner_id", "Owner ID")], "coalesce(owner_id, owner)"),
        ("owner_id", [column("a", "负责人"), column("b", "负责人编号")], "coalesce(b, a)"),
        (
            "address",
            [column("street"), column("zip", role="zip"), column("area", role="area")],
            "nullif(concat_ws(', ', area, street, zip), '')",
        ),
        (
            "name",
            [column("given", "First Name", "first_name"), column("family", "Last Name", "last_name")],
            "nullif(concat_ws(' ', given, family), '')",
        ),
        (
            "name",
            [column("given", "名", "first_name"), column("family", "姓", "last_name")],
            "nullif(concat(family, given), '')",
        ),
        (
            "name",
            [column("full"), column("g", "First", "first_name"), column("f", "Last", "last_name")],
            "coalesce(x(full), nullif(concat_ws(' ', g, f), ''))",
        ),
        (
            "region_code",
            [column("land", role="country"), column("state", role="state", partner=0)],
            "land || '-' || state",
        ),
    ],
)
def test_sql_of_several_columns(core, sources, sql):
    """The first that is filled, the latest, or all parts in the order in which they are read."""
    assert core_expression(core, sources, sources) == sql


def test_a_state_finds_its_country_among_all_columns():
    """Core has the country, so it is no part; the state says where it stands."""
    columns = [column("id"), column("land")]
    assert (
        core_expression("region_code", [column("state", role="state", partner=1)], columns)
        == "land || '-' || state"
    )
