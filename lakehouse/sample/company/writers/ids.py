"""How each CRM numbers its records: the world's numbers in the shape that the CRM gives to ids.

`core` has Zoho's without the `zcrm_` of its exports; 悟空 has no ids, its customers are told apart by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text

if TYPE_CHECKING:
    import pyarrow as pa

# object: the letters before the world's number; HubSpot's leading digit; Salesforce's prefix; Zoho's module
_SHAPES = {
    "contacts": ("CT", "1", "003", "02"),
    "leads": ("L", "4", "00Q", "04"),
    "deals": ("D", "9", "006", "05"),
    "activities": ("A", "6", "00T", "07"),
    "meetings": ("A", "6", "00U", "07"),
    "tickets": ("T", "3", "500", "08"),
    "stages": ("D", "", "008", ""),
    "users": ("U", "7", "005", "01"),
}
_SALESFORCE_NUMBER, _ZOHO_NUMBER = 11, 12  # digits


def hubspot(kind: str, ids: pa.Array) -> pa.Array:
    """Return numbers, the first digit telling objects apart."""
    letters, first, _, _ = _SHAPES[kind]
    return text.joined(first, pc.utf8_slice_codeunits(ids, len(letters)))


def salesforce(kind: str, ids: pa.Array) -> pa.Array:
    """Return 18 characters: the object's prefix, the number, and which of the letters are capitals.

    The last three characters stand for five each; only prefixes have letters here, so two of them are A.
    """
    letters, _, prefix, _ = _SHAPES[kind]
    number = pc.utf8_lpad(pc.utf8_slice_codeunits(ids, len(letters)), _SALESFORCE_NUMBER, "0")
    capitals = sum(1 << place for place, letter in enumerate(prefix) if letter.isupper())
    return text.joined(prefix, "5", number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[capitals] + "AA")


def zoho(kind: str, ids: pa.Array) -> pa.Array:
    """Return 19 digits, as Zoho's interface has them; exports write `zcrm_` before."""
    letters, _, _, module = _SHAPES[kind]
    number = pc.utf8_lpad(pc.utf8_slice_codeunits(ids, len(letters)), _ZOHO_NUMBER, "0")
    return text.joined("53100", module, number)


def huoban(kind: str, ids: pa.Array) -> pa.Array:
    """Return numbers of sixteen digits."""
    number = pc.utf8_lpad(pc.utf8_slice_codeunits(ids, len(_SHAPES[kind][0])), 14, "0")
    return text.joined("23", number)


def jiandaoyun(kind: str, ids: pa.Array) -> pa.Array:
    """Return 24 hexadecimal digits, as MongoDB numbers its documents."""
    number = pc.utf8_lpad(pc.utf8_slice_codeunits(ids, len(_SHAPES[kind][0])), 20, "0")
    return text.joined("65f0", number)


def wukong(names: pa.Array, ids: pa.Array) -> pa.Array:
    """Return names of customers that 悟空 accepts, which allows a name once: the card's number stands behind."""
    return text.joined(names, "（", pc.utf8_slice_codeunits(ids, len(_SHAPES["contacts"][0])), "）")


def advertising(leads: pa.Array) -> pa.Array:
    """Return the number that an advertising platform gave to a lead, which the CRM does not know."""
    return text.joined("7", pc.utf8_slice_codeunits(leads, 1))
