"""Which canonical columns a header may name, and how much it says so."""

from __future__ import annotations

import pytest

from lakehouse.sources.suggest.name_index import name_index
from lakehouse.sources.suggest.policy import SimilarityPolicy, SynonymPolicy
from lakehouse.sources.suggest.words import name_of


def best(header, entity):
    """Return the canonical column that a header says most, and how much."""
    scores = name_index(entity).scores(name_of(header))
    column = max(scores, key=scores.__getitem__)
    return column, scores[column]


@pytest.mark.parametrize(
    ("header", "entity", "column"),
    [
        ("Order ID", "orders", "order_id"),
        ("Status", "orders", "status"),
        ("Order Status", "orders", "status"),
        ("订单状态", "orders", "status"),
        ("Deal Owner", "deals", "owner_id"),
        ("Last Modified Date", "contacts", "updated_at"),
    ],
)
def test_the_best_column_of_a_header(header, entity, column):
    """With the entity's own name and without it, in both languages."""
    found, score = best(header, entity)
    assert found == column
    assert score > SynonymPolicy.known


def test_a_header_that_says_nothing_has_no_scores():
    """What shares no word, and no first letter and length, is not compared at all."""
    assert name_index("orders").scores(name_of("zzz")) == {}


def test_only_ids_have_many_words_for_their_number():
    """An account key is like the account id; a phone id is hardly the phone number."""
    phone = name_index("contacts").scores(name_of("Phone ID"))["phone"]
    account = name_index("contacts").scores(name_of("Account Key"))["account_id"]
    assert phone == pytest.approx(SynonymPolicy.code_for_id, abs=0.01)
    assert account >= SimilarityPolicy.other_id_word - 0.01


def test_the_better_called_column_wins():
    """A name is worth a little less than the one that stands before it in the list."""
    index = name_index("orders")
    target = index.targets["status"]
    first, second, *_ = target.names
    assert index.scores(first)["status"] > index.scores(second)["status"]


@pytest.mark.parametrize(
    ("header", "entity", "column", "scored"),
    [
        ("order_id", "accounts", "account_id", False),
        ("Order ID", "order_items", "order_id", True),
        ("company_id", "accounts", "account_id", True),
        ("item_id", "contacts", "contact_id", True),  # what Huoban calls any record
    ],
)
def test_the_id_of_another_entity_numbers_no_records(header, entity, column, scored):
    """An export with `order_id` lists orders; its records are hardly accounts that are called so."""
    assert (column in name_index(entity).scores(name_of(header))) == scored
