"""How people took what a sync sent them: how many it wrote to lately, and how many of these refused or blocked it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lakehouse.engine import duck
from lakehouse.tables import views
from lakehouse.tables.contracts import DELIVERIES
from lakehouse.tables.people import CONSENTS

if TYPE_CHECKING:
    from datetime import datetime

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.policies.definition import Refusals
    from lakehouse.settings import Settings

# Both tables lag somewhat behind. A refusal may name a day alone, which begins before the message of that day; an old
# list that is imported today names an old one.
_SQL = """
WITH of_sync AS (
    SELECT customer_id, outcome, reason, outcome_at FROM ops.deliveries
    WHERE sync = $sync AND action = 'upsert' AND outcome_at >= $since
),
contacted AS (
    SELECT customer_id, min(outcome_at) AS first_at FROM of_sync
    WHERE outcome IN ('sent', 'unknown') OR reason IN (SELECT unnest($codes))
    GROUP BY customer_id
),
refused AS (
    SELECT customer_id FROM of_sync WHERE outcome = 'failed' AND reason IN (SELECT unnest($codes))
    UNION
    SELECT customer_id
    FROM core.consents JOIN contacted USING (customer_id)
    WHERE NOT granted AND purpose = $purpose AND channel = $channel AND learnt_at >= first_at
        AND (stated_at IS NULL OR stated_at >= date_trunc('day', first_at))
)
SELECT (SELECT count(*) FROM contacted), (SELECT count(*) FROM refused)
"""


def count_reactions(settings: Settings, sync: Sync, limit: Refusals, now: datetime) -> tuple[int, int]:
    """Return how many people a sync wrote to within the days of `limit`, and how many of them refused since.

    A refusal is a statement for the sync's purpose and channel that came after the message, or an answer of the
    destination that the sync's file says is a block.
    """
    con = duck.connect(settings)
    try:
        tables = views.open_tables(con, settings, (DELIVERIES.name, CONSENTS.name))
        for contract in (DELIVERIES, CONSENTS):
            if contract.name not in tables:
                con.execute(f"CREATE OR REPLACE VIEW {contract.name} AS {views.nothing_sql(contract)}")
        asked = {
            "sync": sync.name,
            "purpose": sync.purpose,
            "channel": sync.channel,
            "codes": list(limit.codes),
            "since": now - timedelta(days=limit.days),
        }
        contacted, refused = con.execute(_SQL, asked).fetchone() or (0, 0)
    finally:
        con.close()
    return contacted, refused
