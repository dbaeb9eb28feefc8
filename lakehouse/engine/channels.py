"""Which type of address a channel uses."""

from __future__ import annotations

from types import MappingProxyType

from lakehouse.engine.escape import literal

WECOM_USER = "wecom_external_userid"
# Of other channels, such as push, an address is what a statement names; records carry none that is known.
KIND_OF = MappingProxyType(
    {"email": "email", "sms": "phone", "phone": "phone", "whatsapp": "phone", "wecom": WECOM_USER}
)
ADDRESS_TYPES = tuple(dict.fromkeys(KIND_OF.values()))
"""Types of identifiers by which some channel reaches a person."""


def kind_sql(channel: str) -> str:
    """Return the SQL of the type of address that a channel uses; null for one whose addresses no record carries."""
    cases = (f"WHEN {literal(name)} THEN {literal(kind)}" for name, kind in KIND_OF.items())
    return f"CASE {channel} {' '.join(cases)} END"
