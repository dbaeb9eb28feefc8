"""The canonical entities that a source may map to, with the type of each of their columns."""

from __future__ import annotations

ENTITIES: dict[str, dict[str, str]] = {
    "contacts": {
        "contact_id": "VARCHAR", "source": "VARCHAR", "identifier_type": "VARCHAR", "identifier_value": "VARCHAR",
        "first_name": "VARCHAR", "last_name": "VARCHAR", "email": "VARCHAR", "phone": "VARCHAR", "city": "VARCHAR",
        "country": "VARCHAR", "language": "VARCHAR", "created_at": "TIMESTAMPTZ", "updated_at": "TIMESTAMPTZ",
    },
    "consents": {
        "source": "VARCHAR", "record": "VARCHAR", "identifier_type": "VARCHAR", "identifier_value": "VARCHAR",
        "purpose": "VARCHAR", "channel": "VARCHAR", "granted": "BOOLEAN", "stated_at": "TIMESTAMPTZ",
        "updated_at": "TIMESTAMPTZ",
    },
    "orders": {
        "order_id": "VARCHAR", "source": "VARCHAR", "identifier_type": "VARCHAR", "identifier_value": "VARCHAR",
        "ordered_at": "TIMESTAMPTZ", "quantity": "BIGINT", "amount": "DECIMAL(12,2)", "currency": "VARCHAR",
    },
    "deals": {
        "deal_id": "VARCHAR", "source": "VARCHAR", "identifier_type": "VARCHAR", "identifier_value": "VARCHAR",
        "name": "VARCHAR", "stage": "VARCHAR", "amount": "DECIMAL(14,2)", "currency": "VARCHAR",
        "is_closed": "BOOLEAN", "is_won": "BOOLEAN", "close_date": "DATE", "created_at": "TIMESTAMPTZ",
        "updated_at": "TIMESTAMPTZ",
    },
}  # fmt: skip
