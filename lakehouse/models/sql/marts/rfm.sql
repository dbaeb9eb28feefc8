-- table: marts.rfm
-- inputs: marts.customer_360
-- Fifths by rank: equal customers get equal digits, whatever order the rows come in. They get that of the middle of their
-- ranks, so that those who share a digit were in its fifth on the average: of 100, the 21 best payers of the same sum get 5.
WITH ranked AS (
    SELECT customer_id, as_of, recency_days, purchase_days AS frequency, revenue AS monetary, count(*) OVER () AS buyers,
        2 * (rank() OVER (ORDER BY recency_days DESC) - 1) + count(*) OVER (PARTITION BY recency_days) AS r_middle,
        2 * (rank() OVER (ORDER BY purchase_days) - 1) + count(*) OVER (PARTITION BY purchase_days) AS f_middle,
        2 * (rank() OVER (ORDER BY revenue) - 1) + count(*) OVER (PARTITION BY revenue) AS m_middle
    FROM marts.customer_360
    WHERE orders > 0
),
digits AS (
    SELECT *, 1 + 5 * r_middle // (2 * buyers) AS r, 1 + 5 * f_middle // (2 * buyers) AS f,
        1 + 5 * m_middle // (2 * buyers) AS m
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
