-- table: marts.daily_activity
-- inputs: core.orders, core.identities, core.exchange_rates, raw.events
-- engines: duckdb
-- Revenue is in the currency of most orders, as in marts.customer_360.
WITH home AS (
    SELECT currency FROM core.orders WHERE currency IS NOT NULL
    GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
),
rates AS (
    SELECT day, currency, rate FROM (
        SELECT day, currency, quote, rate, source, false AS turned FROM core.exchange_rates
        UNION ALL
        SELECT day, quote, currency, 1 / rate, source, true FROM core.exchange_rates
    )
    WHERE quote = (SELECT currency FROM home)
    QUALIFY row_number() OVER (PARTITION BY day, currency ORDER BY source, turned) = 1
),
valued AS (
    SELECT o.*, CASE WHEN coalesce(o.currency, h.currency) IS NOT DISTINCT FROM h.currency THEN o.amount
        ELSE CAST(o.amount * r.rate AS DECIMAL(18, 2)) END AS value
    FROM core.orders AS o
    LEFT JOIN home AS h ON true
    ASOF LEFT JOIN rates AS r ON r.currency = o.currency AND r.day <= CAST(o.ordered_at AS DATE)
),
seen AS (
    SELECT CAST(timestamp AS DATE) AS day, count(*) AS events,
        count(DISTINCT coalesce(customer_id, anonymous_id, user_id)) AS visitors
    FROM core.events GROUP BY 1
),
firsts AS (
    SELECT customer_id, min(CAST(ordered_at AS DATE)) AS day FROM core.orders
    WHERE customer_id IS NOT NULL GROUP BY 1
),
new_buyers AS (SELECT day, count(*) AS new_buyers FROM firsts GROUP BY 1),
bought AS (
    SELECT CAST(ordered_at AS DATE) AS day, count(*) AS orders, count(DISTINCT customer_id) AS buyers,
        sum(value) AS revenue, count(*) FILTER (amount IS NOT NULL AND value IS NULL) AS unvalued
    FROM valued GROUP BY 1
)
SELECT
    day, coalesce(s.events, 0) AS events, coalesce(s.visitors, 0) AS visitors, coalesce(b.orders, 0) AS orders,
    coalesce(b.buyers, 0) AS buyers, coalesce(n.new_buyers, 0) AS new_buyers, coalesce(b.revenue, 0) AS revenue,
    (SELECT currency FROM home) AS currency, coalesce(b.unvalued, 0) AS unvalued_orders
FROM seen AS s
FULL JOIN bought AS b USING (day)
LEFT JOIN new_buyers AS n USING (day)
