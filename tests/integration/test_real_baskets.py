"""Next products on real baskets: a year of 2,469 households, the last month of which no method has seen."""

from __future__ import annotations

import pytest

from lakehouse.scores.next_product import AGAIN, NEW_ONLY, POPULARITY, POPULARITY_NEW
from tests.support import baskets


@pytest.mark.slow
@pytest.mark.skipif(not baskets.BASKETS.exists(), reason="`make cloud` installs the baskets")
def test_item_to_item_beats_popularity_on_real_baskets():
    """At ten products: with what may be bought again more than twice the hits, and more among what is new to them."""
    compared = baskets.compared()
    methods = compared["methods"]
    assert compared["checked_on"] > 2_000
    for figure in ("precision", "ndcg"):
        assert methods[AGAIN][figure] > 2.2 * methods[POPULARITY][figure]
        assert methods[NEW_ONLY][figure] > 1.1 * methods[POPULARITY_NEW][figure]
    assert methods[AGAIN]["precision"] > 0.36
    assert methods[AGAIN]["ndcg"] > 0.41
