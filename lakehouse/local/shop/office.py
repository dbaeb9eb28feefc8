"""The shop's back office: what it sells, who has an account, and orders, which it exports as a shop does."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

from lakehouse.errors import Terminal
from lakehouse.local.policy import ShopPolicy
from lakehouse.local.private_file import write_private

CURRENCY: Final = "USD"
CENTS: Final = 100  # of a unit of the currency


@dataclass(frozen=True)
class Product:
    """Something to buy; `cents` is its price."""

    id: str
    name: str
    about: str
    cents: int


PRODUCTS: Final = (
    Product("longjing", "Longjing", "Green, pan-fired in spring, from Hangzhou.", 2_450),
    Product("tieguanyin", "Tieguanyin", "Oolong from Anxi, between green and black.", 1_990),
    Product("pu-erh", "Pu'er", "Pressed into a cake and aged for ten years.", 3_800),
    Product("assam", "Assam", "Black and strong: takes milk.", 890),
)
_PRICES: Final = {product.id: product.cents for product in PRODUCTS}


@dataclass(frozen=True)
class Order:
    """An order that was taken; `cents` is its total."""

    order_id: str
    user_id: str
    ordered_at: datetime
    quantity: int
    cents: int


class Office:
    """Accounts and orders of the shop, kept below `folder`.

    `land` is handed the path of each order's export, CSV in the shape of `shop/orders`. `now` is the clock, UTC.
    """

    def __init__(self, folder: Path, land: Callable[[Path], object], now: Callable[[], datetime]) -> None:
        self._accounts_file = folder / "accounts.json"
        self._exports = folder / "exports"
        self._land = land
        self._now = now
        self._turn = Lock()
        self._exports.mkdir(parents=True, exist_ok=True)

    def sign_in(self, email: Any) -> str:
        """Return the account's number for an address, which gets one where it has none. `Terminal` for no address."""
        try:
            address = validate_email(str(email), check_deliverability=False).normalized.lower()
        except EmailNotValidError:
            raise Terminal("that is no e-mail address") from None
        with self._turn:
            accounts = self._accounts()
            if address not in accounts:
                accounts[address] = f"shopper-{len(accounts) + 1}-{secrets.token_hex(2)}"
                write_private(self._accounts_file, accounts)
            return accounts[address]

    def take_order(self, user_id: Any, lines: Any) -> Order:
        """Note an order of quantities by product, and export it. `Terminal` for an account or line that is none."""
        with self._turn:
            if user_id not in self._accounts().values():
                raise Terminal("sign in first: there is no such account")
        if not isinstance(lines, Mapping) or not lines or not all(map(_is_line, lines.items())):
            raise Terminal(
                f"an order needs products of the shop, 1 to {ShopPolicy.quantity} of each: empty the basket"
            )
        order = Order(
            order_id=f"T-{secrets.token_hex(4)}",
            user_id=user_id,
            ordered_at=self._now(),
            quantity=sum(lines.values()),
            cents=sum(_PRICES[product] * quantity for product, quantity in lines.items()),
        )
        self._land(self._export(order))
        return order

    def _accounts(self) -> dict[str, str]:
        if not self._accounts_file.exists():
            return {}
        accounts: dict[str, str] = json.loads(self._accounts_file.read_text("utf-8"))
        return accounts

    def _export(self, order: Order) -> Path:
        row = {
            "order_id": order.order_id,
            "customer_id": order.user_id,
            "ordered_at": order.ordered_at.isoformat(timespec="milliseconds"),
            "quantity": order.quantity,
            "amount": f"{order.cents // CENTS}.{order.cents % CENTS:02}",
            "currency": CURRENCY,
            "status": "paid",
            "channel": "web",
        }
        path = self._exports / f"orders-{order.order_id}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow(row)
        return path


def _is_line(line: tuple[Any, Any]) -> bool:
    product, quantity = line
    return product in _PRICES and type(quantity) is int and 1 <= quantity <= ShopPolicy.quantity


def catalogue() -> list[dict[str, Any]]:
    """Return what the shop sells, as its pages read it."""
    return [asdict(product) for product in PRODUCTS]
