"""References between sources, as a terminal shows them."""

from __future__ import annotations

from lakehouse.console.references import show_references
from lakehouse.stages.check_references import ReferenceCount

MEETS = ReferenceCount(
    "order_items", "product_id", "products", "shopify", 4791, 0, 4791, 0, id_sources=("shop",), unlisted=()
)
NEARLY = ReferenceCount("deals", "owner_id", "users", "crm", 1000, 999, 0, 0, id_sources=(), unlisted=())
BROKEN = ReferenceCount(
    "orders", "place_id", "places", "pos", 1000, 0, 0, 0, id_sources=(), unlisted=("places",)
)


def test_the_least_found_stand_first_with_what_may_help(capsys):
    """A warning for what is broken alone; per cents are never rounded up to all."""
    show_references([MEETS, NEARLY, BROKEN])
    text = capsys.readouterr().out
    warning, *table = text.splitlines()
    assert warning == (
        "warning pos: orders.place_id: 0 % of 1,000 ids name one of places; "
        "say whose ids they are, in the definition of pos: `references: {places: places}`"
    )
    rows = [line for line in table if "%" in line]
    assert [name for row in rows for name in ("pos", "crm", "shopify") if name in row] == [
        "pos",
        "crm",
        "shopify",
    ]
    assert ["0 %" in rows[0], "99 %" in rows[1], "100 %" in rows[2]] == [True, True, True]
    assert "4,791" in rows[2]


def test_without_a_lake_there_is_nothing_to_show(capsys):
    """Not even a heading."""
    show_references([])
    assert capsys.readouterr().out == ""
