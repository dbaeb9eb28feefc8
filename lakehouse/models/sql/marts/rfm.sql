/*
doc: "Recency, frequency and monetary value in fifths (5 is best), with a name for the cell."
zh: "最近、频次、金额的五等分（5 最好），并给格子一个名字。"
grain: "one row a customer with an order"
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: as_of, type: date, doc: "Day the row looks back from", zh: "回看的日期"}
  - {name: recency_days, type: int, doc: "Days since the last order", zh: "距末单天数"}
  - {name: frequency, type: long, doc: "Distinct days with an order", zh: "有订单的天数"}
  - {name: monetary, type: "decimal(18,2)", doc: "Revenue", zh: "净收入"}
  - {name: r, type: int, doc: "Fifth by recency, 5 = most recent", zh: "最近程度的五等分，5 为最近"}
  - {name: f, type: int, doc: "Fifth by frequency, 5 = most often", zh: "频次的五等分，5 为最多"}
  - {name: m, type: int, doc: "Fifth by revenue, 5 = most", zh: "金额的五等分，5 为最高"}
  - {name: rfm, type: string, doc: "The three digits together", zh: "三个数字连写"}
  - {name: segment, type: string, doc: "champions, loyal, at_risk, …", zh: "格子的名字：champions、loyal、at_risk 等"}
audits:
  - {name: "fifths are 1 to 5", condition: "r BETWEEN 1 AND 5 AND f BETWEEN 1 AND 5 AND m BETWEEN 1 AND 5"}
*/
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
