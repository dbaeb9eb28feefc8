"""What names nobody among values that are in their normal form: the patterns of `lakehouse.engine.ids`, to be bound."""

from __future__ import annotations

from lakehouse.engine.ids import no_id_pattern


def placeholder_patterns() -> dict[str, str]:
    """Return the bound values of `sql/normal.sql`: what is written where there is nothing to write."""
    return {
        "placeholder_mailbox": no_id_pattern("mailbox"),
        "placeholder_phone": no_id_pattern("phone"),
        "placeholder_id": no_id_pattern("person"),
    }
