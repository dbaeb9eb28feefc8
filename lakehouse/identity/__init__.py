"""Who is who: identifiers that records carry → one stable `customer_id` a person (invariant 5)."""

from lakehouse.identity.resolve import Resolution, resolve

__all__ = ["Resolution", "resolve"]
