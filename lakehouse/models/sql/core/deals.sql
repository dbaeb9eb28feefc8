-- table: core.deals
-- inputs: mapped.deals, core.identities
-- engines: duckdb
WITH newest AS (
    SELECT * FROM mapped.deals
    QUALIFY row_number() OVER (
        PARTITION BY source, deal_id ORDER BY updated_at DESC NULLS LAST, _loaded_at DESC, _file_id DESC, _row DESC
    ) = 1
)
SELECT
    n.deal_id, n.source, i.customer_id, n.name, n.stage, n.amount, n.currency, n.is_closed, n.is_won, n.close_date,
    n.created_at, n.updated_at
FROM newest AS n
LEFT JOIN core.identities AS i USING (identifier_type, identifier_value)
