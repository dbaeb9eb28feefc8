"""Which canonical entity a file is."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import describe
from lakehouse.sources.suggest.choose import EntityScore, choose_entity
from lakehouse.sources.suggest.evidence import FileColumn

ROWS = 30
IDS = tuple(f"A{number}" for number in range(ROWS))
DAYS = tuple(f"2026-01-{number % 28 + 1:02d}" for number in range(ROWS))
AMOUNTS = tuple(f"{number}.50" for number in range(ROWS))
PEOPLE = tuple(f"{first} {last}" for first in ("Ann", "Bob", "Eve") for last in ("Lee", "Quist", "Rossi"))


def column(header, values):
    """Return a column of these values, each in one row."""
    distinct = len(set(values))
    return FileColumn(
        header, describe(header, dict.fromkeys(values, 1)), ROWS, ROWS, distinct, distinct == ROWS
    )


ORDERS = (column("Order ID", IDS), column("Order Date", DAYS), column("Order Amount", AMOUNTS))


def test_the_entity_that_explains_the_columns_is_chosen():
    """With its score, those of the next, and the matches of its columns."""
    choice = choose_entity(ORDERS)
    assert (choice.entity, choice.sure) == ("orders", True)
    assert [choice.matches[index].column for index in range(3)] == ["order_id", "ordered_at", "amount"]
    assert max(choice.scores, key=choice.scores.__getitem__) == "orders"
    assert all(0 < score <= 1 for score in choice.scores.values())


def test_a_person_decides():
    """Whatever the columns say."""
    choice = choose_entity(ORDERS, "deals")
    assert (choice.entity, choice.sure) == ("deals", True)
    assert "deals" in choice.scores


def test_the_files_name_counts():
    """The same columns are what the file is called."""
    columns = (column("ID", IDS), column("Name", ("Oslo", "Acme")), column("Status", ("open", "done")))
    chosen = {name: choose_entity(columns, names=[name]).entity for name in ("campaigns 2026", "tickets")}
    assert chosen == {"campaigns 2026": "campaigns", "tickets": "tickets"}


def test_an_entity_that_is_not_sure_makes_no_match_sure():
    """Where the next entity is as likely, nothing has high confidence."""
    choice = choose_entity((column("ID", IDS), column("Status", ("open", "done"))))
    assert not choice.sure
    assert "high" not in {match.confidence for match in choice.matches.values()}


def test_names_of_people_are_no_firms():
    """What has people's names is not the file of accounts."""
    columns = (column("ID", IDS), column("Name", PEOPLE), column("Phone", ("13812345678", "13912345678")))
    assert choose_entity(columns).entity != "accounts"


def test_a_score_is_the_sum_of_its_signals():
    """Each can be looked at by its name."""
    score = EntityScore(
        explained_columns=0.8, missing_key=-0.2, entity_names=0.1, record_id=0.03, people=-0.3, file_name=0.25
    )
    assert score.total == pytest.approx(0.68)
