-- table: marts.daily_activity
-- inputs: core.order_values, core.home_currency, core.identities, raw.events
-- Revenue is in the home currency. An order without a rate is in no sum, and counted.
WITH seen AS (
    SELECT CAST(timestamp AS DATE) AS day, count(*) AS events,
        count(DISTINCT coalesce(customer_id, anonymous_id, user_id)) AS visitors
    FROM core.events GROUP BY 1
),
firsts AS (
    SELECT customer_id, min(CAST(ordered_at AS DATE)) AS day FROM core.order_values
    WHERE customer_id IS NOT NULL GROUP BY 1
),
new_buyers AS (SELECT day, count(*) AS new_buyers FROM firsts GROUP BY 1),
bought AS (
    SELECT CAST(ordered_at AS DATE) AS day, count(*) AS orders, count(DISTINCT customer_id) AS buyers,
        sum(value) AS revenue, count(*) FILTER (unvalued) AS unvalued
    FROM core.order_values GROUP BY 1
)
SELECT
    day, coalesce(s.events, 0) AS events, coalesce(s.visitors, 0) AS visitors, coalesce(b.orders, 0) AS orders,
    coalesce(b.buyers, 0) AS buyers, coalesce(n.new_buyers, 0) AS new_buyers, coalesce(b.revenue, 0) AS revenue,
    (SELECT currency FROM core.home_currency) AS currency, coalesce(b.unvalued, 0) AS unvalued_orders
FROM seen AS s
FULL JOIN bought AS b USING (day)
LEFT JOIN new_buyers AS n USING (day)
