"""Next product: what a customer may buy next, from what was bought by the same customers (item to item).

Two products go together as far as the same customers bought both: the cosine of their columns in the matrix of
customers and products (Sarwar, Karypis, Konstan, Riedl: Item-based collaborative filtering recommendation algorithms,
2001). A product that was bought speaks for itself, for buying it again, and for its neighbours.

Four methods compete on the newest purchases: what most customers buy, and item to item, each with what a customer had
before and without. Where popularity wins, nothing personal can be said, and it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.scores.features import as_floats
from lakehouse.scores.policy import NextProductPolicy
from lakehouse.scores.ranking import Ranked, normalised_rows, row_of, top_of_rows
from lakehouse.scores.result import NO_MODEL, Quality, Scored

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from lakehouse.scores.bg_nbd import Floats

    Positions = npt.NDArray[np.int64]

POPULARITY, POPULARITY_NEW = "popularity", "popularity_new"
NEW_ONLY, AGAIN = "item_to_item_new", "item_to_item_again"
METHODS: Final = (POPULARITY, POPULARITY_NEW, NEW_ONLY, AGAIN)


@dataclass(frozen=True)
class Bought:
    """Who bought what: a row a customer and product, as positions in `customers` and `products`, which are sorted.

    `days` is on how many days, `ago` how many days the last of them is past.
    """

    customers: pa.Array
    products: pa.Array
    who: Positions
    what: Positions
    days: Floats
    ago: Floats

    @classmethod
    def of(cls, table: pa.Table) -> Bought:
        """Read the columns `customer_id, product, days, ago`, a row a customer and product."""
        customers, products = (_sorted(table[name]) for name in ("customer_id", "product"))
        who, what = _positions(table["customer_id"], customers), _positions(table["product"], products)
        return cls(customers, products, who, what, as_floats(table["days"]), as_floats(table["ago"]))

    def matrix(self, values: Floats) -> csr_matrix:
        """Return values as a sparse matrix of customers and products."""
        from scipy.sparse import csr_matrix  # noqa: PLC0415 - not at start-up

        return csr_matrix((values, (self.who, self.what)), shape=(len(self.customers), len(self.products)))

    @property
    def weight(self) -> Floats:
        """Return what each row says of now: the days with a purchase, faded."""
        return self.days * np.exp(-np.maximum(self.ago, 0) / NextProductPolicy.fade_days)


@dataclass(frozen=True)
class Model:
    """What goes with what (rows and columns are products), what customers had, and how many bought each product."""

    neighbours: csr_matrix
    history: csr_matrix
    had: csr_matrix
    popular: Positions


def fit(bought: Bought) -> Model:
    """Find the neighbours of each product that enough customers bought."""
    history = top_of_rows(bought.matrix(bought.weight), NextProductPolicy.most_of_customer)
    had = bought.matrix(np.ones(len(bought.who)))
    buyers = np.bincount(bought.what, minlength=len(bought.products))
    popular = np.lexsort((np.arange(len(buyers)), -buyers))
    return Model(_neighbours(history, buyers), history, had, popular)


def _neighbours(history: csr_matrix, buyers: Positions) -> csr_matrix:
    """Return the cosines of each product with its nearest ones, divided by their sum.

    What too few customers bought together is chance, and most of the pairs.
    """
    from scipy.sparse import diags, vstack  # noqa: PLC0415 - not at start-up

    present = history.copy()
    present.data[:] = 1.0
    counted = np.asarray(present.sum(axis=0)).ravel()
    frequent = (buyers >= NextProductPolicy.least_customers).astype(np.float64)
    columns = (present @ diags(frequent)).tocsr()
    columns.eliminate_zeros()
    by_product, step = columns.T.tocsr(), NextProductPolicy.rows_at_once
    scale = 1 / np.sqrt(np.maximum(counted, 1))
    nearest = []
    for start in range(0, by_product.shape[0], step):
        together = _frequent_pairs(by_product[start : start + step] @ columns, start)
        cosines = (diags(scale[start : start + step]) @ together @ diags(scale)).tocsr()
        nearest.append(top_of_rows(cosines, NextProductPolicy.neighbours))
    return normalised_rows(vstack(nearest).tocsr())


def _frequent_pairs(block: csr_matrix, start: int) -> csr_matrix:
    """Return how many customers bought two products, where enough did, and not of a product with itself.

    `start` is the number of the first row's product.
    """
    block = block.tocsr()
    chance = block.data < NextProductPolicy.least_together
    block.data[chance | (row_of(block) + start == block.indices)] = 0.0
    block.eliminate_zeros()
    return block


def recommend(model: Model, customers: Positions, method: str) -> Ranked:
    """Return the best products of each of these customers (positions), topped up with what most buy."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - not at start-up

    history, had = model.history[customers], model.had[customers]
    if method in (POPULARITY, POPULARITY_NEW):
        found = csr_matrix(had.shape)
    else:
        found = history @ model.neighbours * NextProductPolicy.share_of_neighbours
    if method == NEW_ONLY:
        found = found - found.multiply(had)
    elif method == AGAIN:
        found = found + history
    found = found.tocsr()
    found.eliminate_zeros()
    excluded = had if method in (POPULARITY_NEW, NEW_ONLY) else None
    return Ranked.of(found, NextProductPolicy.products, model.popular, excluded)


def score(now: pa.Table, before: pa.Table, bought_since: pa.Table) -> Scored:
    """Rank products for everybody in `now` (columns of `Bought.of`).

    `before` is the same as of `NextProductPolicy.holdout_days` earlier, `bought_since` names `customer_id` and
    `product` of what was bought in between. No rows where too few customers are known.
    """
    bought = Bought.of(now)
    if len(bought.customers) < NextProductPolicy.least_buyers:
        known = f"products of {len(bought.customers)} customers are known"
        return Scored(
            _rows([], bought), Quality(NO_MODEL, f"{known}; {NextProductPolicy.least_buyers} are needed")
        )
    compared = compare(Bought.of(before), bought_since)
    ndcgs = {method: figures["ndcg"] for method, figures in compared.get("methods", {}).items()}
    method = max(METHODS, key=lambda name: ndcgs.get(name, 0.0)) if ndcgs else AGAIN
    model, step = fit(bought), NextProductPolicy.rows_at_once
    everybody = np.arange(len(bought.customers))
    parts = [(part, recommend(model, part, method)) for part in _slices(everybody, step)]
    reason = "" if ndcgs else "nobody who had bought before bought in the days that methods are compared on"
    figures = {"customers": len(everybody), "products": len(bought.products)} | compared
    return Scored(_rows(parts, bought), Quality(method, reason, ndcg=ndcgs.get(method), figures=figures))


def compare(bought: Bought, bought_since: pa.Table) -> dict[str, Any]:
    """Return precision and nDCG at 10 of each method on what customers bought next; empty where there is nothing.

    A product that nobody had bought before cannot be foreseen, and counts as missed.
    """
    if not len(bought.customers):
        return {}
    known = pc.is_in(bought_since["customer_id"], value_set=bought.customers)
    since = bought_since.filter(known)
    if not since.num_rows:
        return {}
    who = _positions(since["customer_id"], bought.customers)
    wanted = np.bincount(who, minlength=len(bought.customers))
    what = pc.index_in(since["product"], value_set=bought.products).combine_chunks()
    foreseen = pc.is_valid(what).to_numpy(zero_copy_only=False)
    truth = set(zip(who[foreseen].tolist(), what.drop_null().to_pylist(), strict=True))
    customers = np.flatnonzero(wanted)
    customers = customers[:: 1 + len(customers) // NextProductPolicy.checked_customers]
    model, methods = fit(bought), {}
    for method in METHODS:
        hits = np.concatenate(
            [
                recommend(model, part, method).hits(part, truth)
                for part in _slices(customers, NextProductPolicy.rows_at_once)
            ]
        )
        methods[method] = _precision_and_ndcg(hits, wanted[customers])
    return {"checked_on": len(customers), "holdout_days": NextProductPolicy.holdout_days, "methods": methods}


def _precision_and_ndcg(hits: npt.NDArray[np.bool_], wanted: Positions) -> dict[str, float]:
    """Return the share of hits, and the discounted gain over that of the best list there could be (Järvelin 2002)."""
    places = hits.shape[1]
    discount = 1 / np.log2(np.arange(places) + 2)
    best = np.cumsum(discount)[np.minimum(wanted, places) - 1]
    return {"precision": float(hits.mean()), "ndcg": float(((hits * discount).sum(axis=1) / best).mean())}


def _rows(parts: list[tuple[Positions, Ranked]], bought: Bought) -> pa.Table:
    places = np.arange(NextProductPolicy.products) + 1
    who = np.concatenate([np.repeat(part, len(places)) for part, _ in parts] or [np.empty(0, np.int64)])
    what = np.concatenate([ranked.columns.ravel() for _, ranked in parts] or [np.empty(0, np.int64)])
    score = np.concatenate([ranked.scores.ravel() for _, ranked in parts] or [np.empty(0)])
    rank = np.tile(places, len(who) // len(places))
    had = set(zip(bought.who.tolist(), bought.what.tolist(), strict=True))
    there = what >= 0
    who, what, score, rank = who[there], what[there], score[there], rank[there]
    before = [pair in had for pair in zip(who.tolist(), what.tolist(), strict=True)]
    return pa.table(
        {
            "customer_id": bought.customers.take(pa.array(who)),
            "rank": pa.array(rank, pa.int32()),
            "product": bought.products.take(pa.array(what)),
            "score": pa.array(np.round(score, 6)),
            "bought_before": pa.array(before, pa.bool_()),
        }
    )


def _slices(positions: Positions, size: int) -> list[Positions]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]


def _sorted(column: pa.ChunkedArray) -> pa.Array:
    values = pc.unique(column)
    return values.take(pc.sort_indices(values))


def _positions(column: pa.ChunkedArray, values: pa.Array) -> Positions:
    return np.asarray(pc.index_in(column, value_set=values).combine_chunks().to_numpy(), dtype=np.int64)
