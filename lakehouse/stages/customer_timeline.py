"""What happened with one customer, across all systems, in order of time: asked of the tables, never stored.

A mart of all timelines would be as large as everything together. Texts that people wrote stay out, so that the answer
holds no more personal data than the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.errors import Terminal

if TYPE_CHECKING:
    import duckdb

# Each arm: when, which system, what kind, which record, what happened, and money as that system has it.
# A deal's stages are those of its history where its source tells one, else those that its versions had.
TIMELINE = """
    SELECT started_at AS moment, 'web' AS source, 'session' AS kind, session_id AS id, concat_ws(', ',
        concat(events, ' messages'), 'from ' || first_page, 'campaign ' || coalesce(campaign_name, campaign_source),
        CASE WHEN ordered_at IS NOT NULL THEN 'ordered' END) AS what, NULL AS amount, NULL AS currency
    FROM marts.sessions WHERE customer_id = $customer
    UNION ALL
    SELECT responded_at, source, kind, response_id, channel, NULL, NULL
    FROM core.responses WHERE customer_id = $customer AND kind IN ('opened', 'clicked')
    UNION ALL
    SELECT v.ordered_at, v.source, 'order', v.order_id, concat_ws(', ', v.counts_as, o.channel), v.amount, v.currency
    FROM core.order_values AS v LEFT JOIN core.orders AS o USING (source, order_id) WHERE v.customer_id = $customer
    UNION ALL
    SELECT refunded_at, source, 'refund', refund_id, concat_ws(', ', kind, 'of ' || order_id, reason), amount, currency
    FROM core.refunds WHERE customer_id = $customer AND kind <> 'negative order'
    UNION ALL
    SELECT s.entered_at, s.source, 'deal', s.deal_id, s.stage, s.amount, s.currency
    FROM core.deal_stages AS s
    SEMI JOIN (FROM core.deals WHERE customer_id = $customer AND valid_to IS NULL) AS d USING (source, deal_id)
    UNION ALL
    SELECT moment, source, 'deal', deal_id, stage, amount, currency FROM (
        SELECT *, CASE WHEN before IS NULL THEN coalesce(created_at, valid_from) ELSE valid_from END AS moment FROM (
            SELECT *, lag(stage) OVER (PARTITION BY source, deal_id ORDER BY valid_from) AS before FROM core.deals
            SEMI JOIN (FROM core.deals WHERE customer_id = $customer AND valid_to IS NULL) AS d USING (source, deal_id)
            ANTI JOIN core.deal_stages AS s USING (source, deal_id)
        ) WHERE stage IS DISTINCT FROM before
    )
    UNION ALL
    SELECT created_at, source, 'ticket', ticket_id, concat_ws(', ', kind, channel, status), NULL, NULL
    FROM core.tickets WHERE customer_id = $customer AND valid_to IS NULL
    UNION ALL
    SELECT closed_at, source, 'ticket closed', ticket_id, concat_ws(', ', kind, status), NULL, NULL
    FROM core.tickets WHERE customer_id = $customer AND valid_to IS NULL AND closed_at IS NOT NULL
    UNION ALL
    SELECT occurred_at, source, kind, activity_id, concat_ws(', ', direction, outcome, 'by ' || user_id), NULL, NULL
    FROM core.activities WHERE customer_id = $customer
    UNION ALL
    SELECT coalesce(stated_at, learnt_at), source, 'consent', consent_id,
        concat_ws(' ', CASE WHEN granted THEN 'granted' ELSE 'refused' END, purpose, channel), NULL, NULL
    FROM core.consents WHERE customer_id = $customer
    UNION ALL
    SELECT answered_at, source, 'survey', answer_id, concat_ws(', ', survey_id, concat_ws(' of ', score, scale_max)),
        NULL, NULL
    FROM core.survey_answers WHERE customer_id = $customer
    UNION ALL
    SELECT joined_at, source, 'campaign', member_id,
        concat_ws(', ', campaign_id, CASE WHEN is_control THEN 'control group' END, status), NULL, NULL
    FROM core.campaign_members WHERE customer_id = $customer
    UNION ALL
    SELECT started_at, source, 'attendance', visit_id, concat_ws(', ', activity, status), NULL, NULL
    FROM core.attendance WHERE customer_id = $customer
    ORDER BY moment NULLS LAST, source, kind, id
"""


def ask_timeline(con: duckdb.DuckDBPyConnection, customer: str) -> duckdb.DuckDBPyConnection:
    """Run the question on a connection with every table, and return it, to fetch the rows from.

    Columns are moment, source, kind, id, what, amount, currency; what has no time stands last. Raises `Terminal` where
    there is no such customer.
    """
    if not con.execute("FROM core.customers WHERE customer_id = ?", [customer]).fetchall():
        raise Terminal(
            f"there is no customer {customer}: `lakehouse identity explain` finds one by e-mail, phone or another id"
        )
    return con.execute(TIMELINE, {"customer": customer})
