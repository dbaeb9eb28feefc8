-- table: marts.rfm
-- inputs: marts.customer_360
-- Fifths by rank: equal customers get equal digits, whatever order the rows come in.
WITH ranked AS (
    SELECT customer_id, as_of, recency_days, purchase_days AS frequency, revenue AS monetary,
        CAST(5 - floor(5 * percent_rank() OVER (ORDER BY recency_days) - 1e-9) AS INTEGER) AS r5,
        CAST(1 + floor(5 * percent_rank() OVER (ORDER BY purchase_days)) AS INTEGER) AS f5,
        CAST(1 + floor(5 * percent_rank() OVER (ORDER BY revenue)) AS INTEGER) AS m5
    FROM marts.customer_360
    WHERE orders > 0
),
digits AS (
    SELECT *, greatest(1, least(5, r5)) AS r, greatest(1, least(5, f5)) AS f, greatest(1, least(5, m5)) AS m
    FROM ranked
)
SELECT
    customer_id, as_of, recency_days, frequency, monetary, r, f, m, concat(r, f, m) AS rfm,
    CASE
        WHEN r >= 4 AND f >= 4 AND m >= 4 THEN 'champions'
        WHEN f >= 4 AND r >= 3 THEN 'loyal'
        WHEN f >= 4 THEN 'at_risk'
        WHEN r >= 4 AND frequency = 1 THEN 'new'
        WHEN r >= 3 THEN 'promising'
        WHEN m >= 4 THEN 'cannot_lose'
        ELSE 'hibernating'
    END AS segment
FROM digits
