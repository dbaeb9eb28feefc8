"""Connected components over (record - identifier) links: each component is one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def component_of(
    identifiers: NDArray[np.integer], records: NDArray[np.integer], n_identifiers: int, n_records: int
) -> NDArray[np.int64]:
    """Return, for each of `n_identifiers`, the smallest identifier of its component.

    `identifiers[i]` and `records[i]` (both counted from 0, shape (links,)) are one link. An identifier
    without links is its own component. The result does not depend on the order of the links.
    """
    import numpy as np  # noqa: PLC0415 - only when used
    from scipy.sparse import coo_array  # noqa: PLC0415 - 0.7 s, only when used
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    nodes = n_identifiers + n_records
    links = coo_array(
        (np.ones(len(identifiers), dtype=np.bool_), (identifiers, records + n_identifiers)),
        shape=(nodes, nodes),
    )
    n_components, labels = connected_components(links.tocsr(), directed=False)
    labels = labels[:n_identifiers]
    smallest = np.zeros(n_components, dtype=np.int64)
    # Of assignments to one label the last one counts: going downwards, that is the smallest identifier.
    smallest[labels[::-1]] = np.arange(n_identifiers - 1, -1, -1)
    result: NDArray[np.int64] = smallest[labels]
    return result
