-- table: marts.daily_activity
-- inputs: core.orders, core.identities, raw.events
-- engines: duckdb
WITH seen AS (
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
        sum(amount) AS revenue
    FROM core.orders GROUP BY 1
)
SELECT
    day, coalesce(s.events, 0) AS events, coalesce(s.visitors, 0) AS visitors, coalesce(b.orders, 0) AS orders,
    coalesce(b.buyers, 0) AS buyers, coalesce(n.new_buyers, 0) AS new_buyers, coalesce(b.revenue, 0) AS revenue
FROM seen AS s
FULL JOIN bought AS b USING (day)
LEFT JOIN new_buyers AS n USING (day)
