"""The model of `core.customers`, made of the rules of survivorship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import literals
from lakehouse.models.golden_record.definition import OF_CONTACTS, OF_IDENTIFIERS
from lakehouse.models.model import Model
from lakehouse.tables.people import CUSTOMERS

if TYPE_CHECKING:
    from lakehouse.models.golden_record.definition import GoldenRecord

# Chinese writes the family name first and without a blank
_NAME = """coalesce(name, CASE WHEN regexp_matches(concat(last_name, first_name), '[\\x{4E00}-\\x{9FFF}]')
        THEN concat(last_name, first_name) ELSE nullif(concat_ws(' ', first_name, last_name), '') END)"""
_OF_EQUALS = "valid_from, source, contact_id"


def model(record: GoldenRecord) -> Model:
    """Return the model of `core.customers`."""
    inputs = ("core.identities", "core.evidence", "core.contacts")
    return Model(CUSTOMERS, inputs, model_sql(record), where=CUSTOMERS.name)


def model_sql(record: GoldenRecord) -> str:
    """Return the SELECT of the table's columns.

    An address is a customer's if an identity says so: in its normal form, and said now.
    """
    stated = ",\n        ".join(f"{_chosen(record, name)} AS {name}" for name in OF_CONTACTS)
    known = ",\n        ".join(f"{_chosen_identifier(record, kind)} AS {kind}" for kind in OF_IDENTIFIERS)
    said_by = ", ".join(f"'{name}': s.{name}.said_by" for name in OF_CONTACTS)
    known_by = ", ".join(f"'{kind}': k.{kind}.said_by" for kind in OF_IDENTIFIERS)
    said = {name: f"s.{name}.said AS {name}" for name in OF_CONTACTS}
    filled = " + ".join(f"CAST({name} IS NOT NULL AS INTEGER)" for name in OF_CONTACTS)
    return f"""-- The golden record: which value of a field is the customer's says its rule, see the definition.
WITH carriers AS (
    SELECT i.customer_id, i.identifier_type, i.identifier_value, i.first_seen_at, i.last_seen_at, e.since,
        split_part(e.source, ':', 1) AS source, e.record,
        count(*) OVER (PARTITION BY e.source, e.record) AS filled
    FROM core.identities AS i
    LEFT JOIN core.evidence AS e ON e.identifier_type = i.identifier_type
        AND e.identifier_value = i.identifier_value AND e.standing = 'ties'
),
known AS (
    SELECT customer_id, count(DISTINCT (identifier_type, identifier_value)) AS identifiers,
        min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at,
        {known}
    FROM carriers
    GROUP BY customer_id
),
contacts AS (
    SELECT * REPLACE ({_NAME} AS name), {filled} AS filled
    FROM core.contacts
    WHERE valid_to IS NULL AND customer_id IS NOT NULL
),
stated AS (
    SELECT customer_id,
        {stated},
        count(DISTINCT (source, contact_id)) AS contacts,
        string_agg(DISTINCT source, ',' ORDER BY source) AS sources
    FROM contacts
    GROUP BY customer_id
)
SELECT
    k.customer_id, {said["first_name"]}, {said["last_name"]}, k.email.said AS email, k.phone.said AS phone,
    {said["city"]}, {said["country"]}, {said["language"]}, k.identifiers,
    coalesce(s.contacts, 0) AS contacts, s.sources, k.first_seen_at, k.last_seen_at, {said["name"]},
    CAST(to_json({{{said_by}, {known_by}}}) AS VARCHAR) AS provenance
FROM known AS k
LEFT JOIN stated AS s USING (customer_id)
"""


def _chosen(record: GoldenRecord, field: str) -> str:
    said_by = "{'source': source, 'record': contact_id, 'since': valid_from}"
    rank = _rank(record, field, field)
    return f"arg_max({{'said': {field}, 'said_by': {said_by}}}, ({rank}{_OF_EQUALS})) FILTER ({field} IS NOT NULL)"


def _chosen_identifier(record: GoldenRecord, kind: str) -> str:
    said_by = "{'source': source, 'record': record, 'since': since}"
    rank = _rank(record, kind, "identifier_value")
    said = f"{{'said': identifier_value, 'said_by': {said_by}}}"
    order = f"({rank}last_seen_at, identifier_value, since, source, record)"
    return f"arg_max({said}, {order}) FILTER (identifier_type = '{kind}')"


def _rank(record: GoldenRecord, field: str, value: str) -> str:
    """Return the SQL of what comes before recency where a field's rule says so; the largest is chosen."""
    rule = record.rule(field)
    if rule == "most_trusted":
        return (
            f"-coalesce(list_position({literals(list(record.trusted))}, source), {len(record.trusted) + 1}), "
        )
    return {"most_complete": "filled, ", "longest": f"length({value}), "}.get(rule, "")
