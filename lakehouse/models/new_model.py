"""A model to begin with: a file that counts at once, and a unit test of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.models.model_file import parse
from lakehouse.models.unit_tests import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

_NEW_MODEL = """/*
doc: Customers with more than one order, and what they brought.
zh: 有多张订单的客户及其贡献。
grain: one row a customer
key: [customer_id]
columns:
  - {name: customer_id, doc: Customer, zh: 客户}
  - {name: orders, type: long, doc: Orders of which something is left, zh: 订单数}
  - {name: revenue, type: "decimal(18,2)", doc: Revenue in the home currency, zh: 净收入}
audits:
  - {name: they have more than one order, condition: orders > 1}
*/
SELECT customer_id, orders, revenue
FROM marts.customer_360
WHERE orders > 1
"""
_NEW_TESTS = """tests:
  - name: one order is not enough
    given:
      marts.customer_360:
        - {customer_id: ann, orders: 3, revenue: 120.50}
        - {customer_id: bob, orders: 1, revenue: 9.90}
    expected:
      - {customer_id: ann, orders: 3, revenue: 120.50}
"""


def new_model(folder: Path, table: str) -> list[Path]:
    """Write a model to begin with, and a unit test of it, below a definitions folder; return the files.

    Raises `Terminal` where the table has a model's file there, or is called as no table may be.
    """
    namespace, _, name = table.partition(".")
    path = folder / "models" / namespace / f"{name}.sql"
    parse(_NEW_MODEL, f"{namespace}/{name}.sql")  # refuses a name that no table may have
    if path.exists():
        raise Terminal(f"{path} is there already")
    tests = path.with_suffix(SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_NEW_MODEL, "utf-8")
    tests.write_text(_NEW_TESTS, "utf-8")
    return [path, tests]
