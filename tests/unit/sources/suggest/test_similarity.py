"""How alike two names are: the noun counts most, a typing error is forgiven, languages do not meet."""

from __future__ import annotations

import pytest

from lakehouse.sources.suggest.policy import SimilarityPolicy
from lakehouse.sources.suggest.similarity import similarity
from lakehouse.sources.suggest.words import name_of


@pytest.mark.parametrize(
    ("header", "synonym", "expected"),
    [
        ("status", "Status", 1.0),
        ("firstname", "first name", 1.0),
        ("status order", "order status", SimilarityPolicy.reordered),
        ("order code", "order number", SimilarityPolicy.other_id_word),
        ("payment status", "status", 0.52 + 0.35 / 2),
        ("status reason", "status", 0.38 + 0.35 / 2),
        ("status", "payment status", 0.37 + 0.35 / 2),
        ("status", "status reason", 0.27 + 0.35 / 2),
        ("订单状态", "状态", 0.54 + 0.35 / 2),
        ("状态说明", "状态", 0.25 + 0.3 / 2),
        ("状态", "订单状态", 0.3 + 0.4 / 2),
        ("colour", "size", 0.0),
        ("状态", "status", 0.0),
        ("", "status", 0.0),
    ],
)
def test_similarity(header, synonym, expected):
    """1 for the same; less for words in front of the noun, and still less for words behind it."""
    assert similarity(name_of(header), name_of(synonym)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("header", "synonym", "most"),
    [
        ("Status Reason", "status", 0.6),
        ("Product Name", "status", 0.0),
        ("订单", "客户", 0.0),
        ("手机", "phone", 0.0),
        ("状态说明", "状态", 0.5),
        ("Number of Orders", "order number", 0.9),
        ("Step Number", "store number", 0.9),
        ("券码", "券号", 0.5),
    ],
)
def test_other_names_are_not_similarity(header, synonym, most):
    """The noun stands last; what only qualifies it is not it. Languages do not meet."""
    assert similarity(name_of(header), name_of(synonym)) <= most


def test_typing_errors_are_forgiven():
    """In long words, and never as if they were right."""
    assert 0.68 <= similarity(name_of("Catagory"), name_of("category")) < 0.93
    assert similarity(name_of("Citi"), name_of("city")) == 0
