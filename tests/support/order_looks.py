"""Looks at the models of orders between which their inputs change: as `model_looks`, of lines, refunds and products."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from lakehouse.models import runner
from lakehouse.models.policy import IncrementalPolicy
from tests.support.model_looks import DAY, WHO, Company, by, people
from tests.support.small_company import forget

if TYPE_CHECKING:
    from pathlib import Path

MODELS = (
    "core.sales", "core.refunds", "core.order_values", "core.first_orders", "core.order_products", "core.sales_ledger",
    "core.reduced_shares", "marts.customer_habits", "marts.product_affinity", "marts.data_quality",
    "marts.sales_by_product_region", "core.first_sale", "marts.buying_cycle",
)  # fmt: skip
Rows = dict[str, dict[str, Any]]
Step = dict[str, Rows | None]

numbers, products = st.sampled_from(["O1", "O2", "O3"]), st.sampled_from(["P1", "P2", None])
days = st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
orders = st.builds(
    lambda number, who, at, amount, kind, refunded, city: {
        "source": "shop", "order_id": number, "customer_id": who, "ordered_at": at, "amount": Decimal(amount),
        "currency": "USD", "counts_as": kind, "refunded": refunded, "city": city,
    },
    numbers, st.one_of(people, st.none()), days, st.sampled_from([10, 20, -10]),
    st.sampled_from(["sold", "sold", "refunded", "return", "cancelled"]), st.sampled_from([None, Decimal(4)]),
    st.sampled_from(["Oslo", None]),
)  # fmt: skip
items = st.builds(
    lambda number, line, product, amount: {
        "source": "shop", "order_id": number, "line_id": line, "key": f"{number}/{line}", "product_id": product,
        "quantity": Decimal(1), "amount": Decimal(amount), "currency": "USD",
    },
    numbers, st.sampled_from(["1", "2"]), products, st.sampled_from([3, 7, -3]),
)  # fmt: skip
returns = st.builds(
    lambda number, order, line, at: {
        "source": "shop", "return_id": number, "order_id": order, "line_id": line, "returned_at": at,
        "amount": Decimal(3), "counts_as": "refunded", "currency": "USD",
    },
    st.sampled_from(["R1", "R2"]), numbers, st.sampled_from(["1", None]), days,
)  # fmt: skip
contacts = st.builds(
    lambda number, who, region: {
        "source": "crm", "contact_id": number, "customer_id": who, "region_code": region, "valid_from": DAY,
        "created_at": DAY, "birth_date": (DAY - timedelta(days=9000)).date(),
    },
    st.sampled_from(["K1", "K2", "K3"]), people, st.sampled_from(["NO-03", "SE-AB", None]),
)  # fmt: skip
catalogue = st.builds(
    lambda number, name: {"source": "shop", "product_id": number, "name": name, "valid_from": DAY},
    st.sampled_from(["P1", "P2"]), st.sampled_from(["tea", "coffee"]),
)  # fmt: skip
steps = st.fixed_dictionaries(
    {
        "core.orders": by(orders, "order_id"),
        "core.order_items": by(items, "key"),
        "core.returns": by(returns, "return_id"),
        "core.contacts": by(contacts, "contact_id"),
        "core.products": by(catalogue, "product_id"),
    }
)


def take(company: Company, step: Step) -> None:
    for table, rows in step.items():
        if rows is not None:
            known = ({name: value for name, value in row.items() if name != "key"} for row in rows.values())
            company.fill(table, *known)


@pytest.fixture
def order_looks(lake, tmp_path_factory, monkeypatch):
    """Return what plays steps on a fresh lake, compares after each, and returns how each model was computed last."""

    def play(listed: list[Step]) -> dict[str, str]:
        folder: Path = tmp_path_factory.mktemp("lake")
        monkeypatch.setenv("LAKEHOUSE_CATALOG_URI", f"sqlite:///{folder}/catalog.sqlite")
        monkeypatch.setenv("LAKEHOUSE_WAREHOUSE", f"file://{folder}/warehouse")
        monkeypatch.setenv("LAKEHOUSE_AS_OF", "2026-01-20")
        forget()
        company = Company({})
        company.fill("core.home_currency", {"currency": "USD", "orders": 1, "deals": 0})
        company.fill("core.customers", *({"customer_id": who, "contacts": 1} for who in WHO))
        said: dict[str, str] = {}
        for step in listed:
            take(company, step)
            said.clear()
            with monkeypatch.context() as hearing:
                hearing.setattr(
                    runner.telemetry, "info",
                    lambda _, **fields: said.update({fields["model"]: fields["reason"]}),
                )  # fmt: skip
                outcome = runner.run(company.settings, only=MODELS)
            assert outcome.wrong == []
            assert company.differing(MODELS) == []
        return said

    monkeypatch.setattr(IncrementalPolicy, "least_rows", 0)
    monkeypatch.setattr(IncrementalPolicy, "largest_share", 1.0)
    monkeypatch.setattr(IncrementalPolicy, "largest_looking", 10.0**9)
    monkeypatch.setattr(IncrementalPolicy, "largest_cost", 10.0**9)
    monkeypatch.setattr(IncrementalPolicy, "files_of_grain", 0)
    monkeypatch.setattr(IncrementalPolicy, "rows_of_file", 1)
    return play
