-- table: core.orders
-- inputs: mapped.orders, core.identities
-- engines: duckdb
WITH newest AS (
    SELECT * FROM mapped.orders
    QUALIFY row_number() OVER (PARTITION BY source, order_id ORDER BY _loaded_at DESC, _file_id DESC, _row DESC) = 1
)
SELECT n.order_id, n.source, i.customer_id, n.ordered_at, n.quantity, n.amount, n.currency
FROM newest AS n
LEFT JOIN core.identities AS i USING (identifier_type, identifier_value)
