"""How each system numbers its records: the world's numbers in the shape that the system gives to ids.

`core` has Zoho's without the `zcrm_` of its exports; 悟空 has no ids, its customers differ by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.salesforce_ids import case_suffix

if TYPE_CHECKING:
    import pyarrow as pa


class _Shape(NamedTuple):
    """How ids of one kind of record look: in the world, and in each CRM that has a shape for each kind."""

    world_letters: str
    hubspot_digit: str
    salesforce_prefix: str
    zoho_module: str


_SHAPES = {
    "contacts": _Shape("CT", "1", "003", "02"),
    "leads": _Shape("L", "4", "00Q", "04"),
    "deals": _Shape("D", "9", "006", "05"),
    "activities": _Shape("A", "6", "00T", "07"),
    "meetings": _Shape("A", "6", "00U", "07"),
    "tickets": _Shape("T", "3", "500", "08"),
    "stages": _Shape("D", "", "008", ""),
    "users": _Shape("U", "7", "005", "01"),
}
WELCOME_CAMPAIGN = "welcome"  # gives out the welcome coupons
# digits of the number in an id, as each system fixes them by the length of its ids
_SALESFORCE_DIGITS: Final = 11
_ZOHO_DIGITS: Final = 12
_HUOBAN_DIGITS: Final = 14
_JIANDAOYUN_DIGITS: Final = 20


def hubspot(kind: str, world_ids: pa.Array) -> pa.Array:
    """Return numbers, the first digit telling objects apart."""
    return text.joined(_SHAPES[kind].hubspot_digit, _number(kind, world_ids))


def salesforce(kind: str, world_ids: pa.Array) -> pa.Array:
    """Return 18 characters: the object's prefix, the number, and which of the letters are capitals."""
    prefix = _SHAPES[kind].salesforce_prefix
    # letters stand in the prefix alone, so that all ids of a kind have one suffix
    suffix = case_suffix(prefix + "5" + "0" * _SALESFORCE_DIGITS)
    return text.joined(prefix, "5", _padded(kind, world_ids, _SALESFORCE_DIGITS), suffix)


def zoho(kind: str, world_ids: pa.Array) -> pa.Array:
    """Return 19 digits, as Zoho's interface has them; exports write `zcrm_` before."""
    return text.joined("53100", _SHAPES[kind].zoho_module, _padded(kind, world_ids, _ZOHO_DIGITS))


def huoban(kind: str, world_ids: pa.Array) -> pa.Array:
    """Return numbers of sixteen digits."""
    return text.joined("23", _padded(kind, world_ids, _HUOBAN_DIGITS))


def jiandaoyun(kind: str, world_ids: pa.Array) -> pa.Array:
    """Return 24 hexadecimal digits, as MongoDB numbers its documents."""
    return text.joined("65f0", _padded(kind, world_ids, _JIANDAOYUN_DIGITS))


def wukong(names: pa.Array, contact_ids: pa.Array) -> pa.Array:
    """Return names of customers that 悟空 accepts, which allows a name once: the card's number stands behind."""
    return text.joined(names, "（", _number("contacts", contact_ids), "）")


def advertising(lead_ids: pa.Array) -> pa.Array:
    """Return the number that an advertising platform gave to a lead, which the CRM does not know."""
    return text.joined("7", _number("leads", lead_ids))


def woocommerce_orders(order_ids: pa.Array) -> pa.Array:
    """Return the digits of the world's order ids, as WooCommerce numbers its orders."""
    return pc.utf8_slice_codeunits(order_ids, len("SO"))


def promotion(category: str, week: int) -> str:
    """Return the campaign of a category's week of promotion, weeks of history counted from 0."""
    return f"PROMO-{category}-W{week:03d}"


def _number(kind: str, world_ids: pa.Array) -> pa.Array:
    """Return the digits of the world's ids."""
    return pc.utf8_slice_codeunits(world_ids, len(_SHAPES[kind].world_letters))


def _padded(kind: str, world_ids: pa.Array, width: int) -> pa.Array:
    return pc.utf8_lpad(_number(kind, world_ids), width, "0")
