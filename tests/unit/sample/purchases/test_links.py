"""Records that share identifiers are one set."""

from __future__ import annotations

from lakehouse.sample.purchases.links import Links


def test_records_that_share_an_identifier_are_one_set() -> None:
    """Sharing goes on over others: a with b, b with c."""
    links = Links()
    links.join("a", ["email:x"])
    links.join("b", ["email:x", "phone:1"])
    links.join("c", ["phone:1"])
    links.join("d", ["phone:2"])
    assert links.find("a") == links.find("b") == links.find("c")
    assert links.find("d") != links.find("a")


def test_a_name_that_is_new_is_a_set_of_its_own() -> None:
    """Asking for it adds it."""
    assert Links().find("a") == "a"
