"""The causes for which records are written: triggers that stand, entries into segments, records that are one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lakehouse.engine import channels
from lakehouse.segments.audience import audience_sql, rows_with_ids
from lakehouse.tables import views
from lakehouse.tables.contracts import TRIGGERS
from lakehouse.tables.entities.customers import CONTACTS
from lakehouse.tables.entities.sales import ACTIVITIES
from lakehouse.tables.entities.shop import PRODUCTS
from lakehouse.tables.score_tables import NEXT_PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lakehouse.settings import Settings

BEHIND_COLUMNS: Final = frozenset({"recent_activities", "next_product", "best_channel", "best_hour"})
_BEST_CONTACT_TIME: Final = "marts.best_contact_time"
_NO_BEST_TIMES: Final = """
SELECT NULL::VARCHAR AS customer_id, NULL::INTEGER AS best_hour, NULL::VARCHAR AS best_channel WHERE false
"""

# `cause_key` is the same whenever a cause is asked for; a trigger's is also when its customer was merged into another.
_CAUSES: Final = """
SELECT segment AS because, customer_id, CAST(entered_on AS VARCHAR) AS cause, CAST(NULL AS VARCHAR) AS about,
    CAST(entered_on AS TIMESTAMP) AT TIME ZONE $time_zone AS due_at, CAST(NULL AS TIMESTAMPTZ) AS expires_at,
    coalesce(control, false) AS is_control, CAST(NULL AS VARCHAR[]) AS records, CAST(NULL AS VARCHAR) AS record_id,
    md5(concat_ws(chr(31), 'segment', segment, customer_id, entered_on)) AS cause_key
FROM ops.segment_members WHERE segment IN (SELECT unnest($caused_by))
UNION ALL
SELECT trigger, customer_id, cause, about, due_at, expires_at, false, NULL, NULL,
    concat_ws(chr(31), 'trigger', coalesce(reason_id, md5(concat_ws(chr(31), trigger, customer_id, cause))))
FROM marts.triggers
WHERE trigger IN (SELECT unnest($triggers)) AND cancelled_at IS NULL AND expires_at > $now
UNION ALL
SELECT 'duplicates', customer_id, source, array_to_string(records, ', '), due_at, NULL, false,
    CASE WHEN $per_record THEN list_filter(records, r -> r <> record_id) ELSE records END, record_id,
    concat_ws(chr(31), 'duplicates', source, customer_id, record_id)
FROM (
    SELECT customer_id, source, list(contact_id ORDER BY contact_id) AS records,
        max(coalesce(created_at, valid_from)) AS due_at,
        unnest(CASE WHEN $per_record THEN list(contact_id) ELSE [NULL] END) AS record_id
    FROM core.contacts
    WHERE source = $duplicates AND valid_to IS NULL AND customer_id IS NOT NULL
    GROUP BY customer_id, source HAVING count(*) > 1
)
"""
_SELECTED: Final = """
SELECT customer_id, coalesce(m.segments, []) AS segments, coalesce(m.control_of, []) AS control_of
FROM (SELECT DISTINCT customer_id FROM caused)
LEFT JOIN (
    SELECT customer_id, list(segment ORDER BY segment) AS segments,
        coalesce(list(segment ORDER BY segment) FILTER (control), []) AS control_of
    FROM ops.segment_members WHERE segment IN (SELECT unnest($segments)) GROUP BY customer_id
) AS m USING (customer_id)
"""
# Of several contacts of a customer that one counts which has an owner, and of those the newest.
_OWNERS: Final = """
SELECT customer_id, first(owner_id ORDER BY owner_id IS NULL, valid_from DESC, contact_id) AS owner,
    first(contact_id ORDER BY owner_id IS NULL, valid_from DESC, contact_id) AS crm_contact_id
FROM core.contacts WHERE source = $owners AND valid_to IS NULL AND customer_id IS NOT NULL GROUP BY customer_id
"""
_BEHIND: Final = """
SELECT customer_id, p.next_product, b.best_channel, b.best_hour, t.recent_activities
FROM (SELECT DISTINCT customer_id FROM caused)
LEFT JOIN marts.best_contact_time AS b USING (customer_id)
LEFT JOIN (
    SELECT n.customer_id, coalesce(first(i.name ORDER BY i.valid_from DESC), first(n.product_id)) AS next_product
    FROM marts.next_products AS n
    LEFT JOIN core.products AS i ON i.source = n.source AND i.product_id = n.product_id
    WHERE n.rank = 1 GROUP BY n.customer_id
) AS p USING (customer_id)
LEFT JOIN (
    SELECT customer_id, string_agg(concat_ws(' ', strftime(occurred_at AT TIME ZONE $time_zone, '%Y-%m-%d'), kind,
        nullif(subject, '')), '; ' ORDER BY occurred_at DESC, activity_id) AS recent_activities
    FROM (
        SELECT * FROM core.activities WHERE customer_id IN (SELECT customer_id FROM caused) AND occurred_at <= $now
        QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY occurred_at DESC, activity_id) <= 3
    ) GROUP BY customer_id
) AS t USING (customer_id)
"""
_NOTHING_BEHIND: Final = """
SELECT customer_id, NULL AS next_product, NULL AS best_channel, NULL AS best_hour, NULL AS recent_activities
FROM (SELECT DISTINCT customer_id FROM caused)
"""


@dataclass(frozen=True, slots=True)
class Asking:
    """Which causes are asked for.

    `caused_by` are segments whose entries are causes, `segments` all of which it has to be known who is in one,
    `duplicates` the source whose records are compared ("": none), one row a record where `per_record`. `owners` is the
    source whose contacts say who looks after a customer. `behind`: with the next best action and what stands behind it.
    `id_types`: as of `audience`.
    """

    purpose: str
    channel: str
    caused_by: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    duplicates: str = ""
    per_record: bool = False
    owners: str = ""
    behind: bool = False
    id_types: tuple[str, ...] = ()


def causes(settings: Settings, asking: Asking, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield one row a cause that stands, by customer: the columns of `audience`, and those of the cause.

    These are `because` (the trigger or segment, or `duplicates`), `cause`, `about`, `due_at`, `expires_at`,
    `cause_key`, `is_control`, `records` and `record_count` (of duplicates), `owner` and `crm_contact_id`; and
    `BEHIND_COLUMNS`. Raises CommitConflict as `audience`.
    """
    behind = _BEHIND if asking.behind else _NOTHING_BEHIND
    sql = f"""
WITH caused AS ({_CAUSES})
SELECT a.*, k.* EXCLUDE (customer_id), len(k.records) AS record_count, o.owner, o.crm_contact_id,
    b.* EXCLUDE (customer_id)
FROM ({audience_sql(_SELECTED)}) AS a
JOIN caused AS k USING (customer_id)
LEFT JOIN ({_OWNERS}) AS o USING (customer_id)
LEFT JOIN ({behind}) AS b USING (customer_id)
ORDER BY customer_id, cause_key
"""
    asked = {
        "segments": list(asking.segments),
        "caused_by": list(asking.caused_by),
        "triggers": list(asking.triggers),
        "duplicates": asking.duplicates,
        "per_record": asking.per_record,
        "owners": asking.owners,
        "purpose": asking.purpose,
        "channel": asking.channel,
        "kind": channels.KIND_OF.get(asking.channel),
        "time_zone": settings.time_zone,
        "now": settings.now_or_as_of(now),
    }
    shapes = (TRIGGERS, CONTACTS, *((ACTIVITIES, PRODUCTS, NEXT_PRODUCTS) if asking.behind else ()))
    missing_as = {contract.name: views.nothing_sql(contract) for contract in shapes}
    if asking.behind:
        missing_as[_BEST_CONTACT_TIME] = _NO_BEST_TIMES
    order = "customer_id, cause_key"
    yield from rows_with_ids(
        settings, sql, asked, asking.id_types, order, missing_as=missing_as, shapes=shapes
    )


def inputs_of(asking: Asking) -> tuple[str, ...]:
    """Return the tables whose change may change the causes, beside those of every audience."""
    of_triggers = (TRIGGERS.name,) if asking.triggers else ()
    behind = (ACTIVITIES.name, PRODUCTS.name, NEXT_PRODUCTS.name, _BEST_CONTACT_TIME) if asking.behind else ()
    return (*of_triggers, CONTACTS.name, *behind)
