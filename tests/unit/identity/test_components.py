"""Connected components name each identifier's smallest companion."""

from __future__ import annotations

import numpy as np

from lakehouse.identity.components import component_of


def _components(links: list[tuple[int, int]], identifiers: int, records: int) -> list[int]:
    array = np.array(links, dtype=np.int64).reshape(-1, 2)
    return component_of(array[:, 0], array[:, 1], identifiers, records).tolist()


def test_a_chain_of_records_is_one_component():
    """a-r0-b-r1-c hang together through b; d stands alone."""
    assert _components([(0, 0), (1, 0), (1, 1), (2, 1), (3, 2)], 4, 3) == [0, 0, 0, 3]


def test_repeated_links_and_no_links():
    """A link twice is a link once; nothing in is nothing out; an identifier without links is its own."""
    assert _components([(0, 0), (0, 0), (1, 0)], 3, 1) == [0, 0, 2]
    assert _components([], 0, 0) == []
    assert _components([], 2, 0) == [0, 1]


def test_the_order_of_links_does_not_matter():
    """Any order of the same links gives the same components."""
    rng = np.random.default_rng(3)
    links = np.stack([rng.integers(0, 300, 400), rng.integers(0, 200, 400)], axis=1)
    first = component_of(links[:, 0], links[:, 1], 300, 200)
    for _ in range(5):
        rng.shuffle(links)
        assert (component_of(links[:, 0], links[:, 1], 300, 200) == first).all()
