-- table: core.order_values
-- inputs: core.sales, core.refunds
-- Here alone it is said what an order is worth: gross, less discounts, less what was given back, is its `value`. What was
-- cancelled, is a test, was never paid or is unclear counts nowhere: it is no order, and its money is null. An order below
-- zero is none either; where it takes back no order that is known, its own row bears what was given back.
WITH given_back AS (
    SELECT source, coalesce(order_id, refund_id) AS order_id, sum(value) AS refunds,
        min(refunded_on) FILTER (takes_all) AS taken_back_on
    FROM core.refunds
    WHERE order_id IS NOT NULL OR kind = 'negative order'
    GROUP BY 1, 2
)
SELECT s.source, s.order_id, s.customer_id, s.ordered_at, s.amount, s.currency, s.home_currency,
    CASE WHEN s.is_order THEN s.sale - coalesce(g.refunds, 0) WHEN s.sale IS NOT NULL THEN -coalesce(g.refunds, 0) END AS value,
    s.unvalued, s.ordered_on, s.counts_as, s.is_order,
    CASE WHEN s.is_order THEN s.sale + s.discounts WHEN s.sale IS NOT NULL THEN 0 END AS gross,
    CASE WHEN s.sale IS NOT NULL THEN s.discounts END AS discounts,
    CASE WHEN s.sale IS NOT NULL THEN coalesce(g.refunds, 0) END AS refunds,
    CASE WHEN s.is_order THEN coalesce(g.taken_back_on, CASE WHEN s.counts_as = 'refunded' THEN s.ordered_on END) END
        AS taken_back_on
FROM core.sales AS s
LEFT JOIN given_back AS g ON g.source = s.source AND g.order_id = s.order_id
