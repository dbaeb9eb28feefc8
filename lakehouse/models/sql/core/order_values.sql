-- table: core.order_values
-- inputs: core.orders, core.home_currency, core.home_rates
-- An order in another currency counts at the rate of its day, or of the last day before it that has one. An amount without a
-- currency is taken to be in the home currency.
WITH valued AS (
    SELECT o.source, o.order_id, o.customer_id, o.ordered_at, o.amount, o.currency, h.currency AS home_currency,
        CASE WHEN o.currency IS NULL OR o.currency = h.currency THEN o.amount
            ELSE CAST(o.amount * r.rate AS DECIMAL(18, 2)) END AS value
    FROM core.orders AS o
    LEFT JOIN core.home_currency AS h ON true
    ASOF LEFT JOIN core.home_rates AS r ON r.currency = o.currency AND r.day <= CAST(o.ordered_at AS DATE)
)
SELECT *, amount IS NOT NULL AND value IS NULL AS unvalued
FROM valued
