-- table: marts.daily_activity
-- inputs: core.order_values, core.refunds, core.home_currency, core.identities, raw.events
-- time_zone: yes
-- Sums are in the home currency, sales on the day of the order and refunds on their own. An order that was wholly taken back
-- since is in the sums, and in no count. One without a rate, or of an unclear status, is in no sum, and counted.
-- Days of the future are there, if a row names them.
WITH seen AS (
    SELECT CAST(timestamp AT TIME ZONE getvariable('time_zone') AS DATE) AS day, count(*) AS events,
        count(DISTINCT coalesce(customer_id, anonymous_id, user_id)) AS visitors
    FROM core.events GROUP BY 1
),
firsts AS (
    SELECT customer_id, min(ordered_on) AS day FROM core.order_values
    WHERE customer_id IS NOT NULL AND is_order AND taken_back_on IS NULL GROUP BY 1
),
new_buyers AS (SELECT day, count(*) AS new_buyers FROM firsts GROUP BY 1),
bought AS (
    SELECT ordered_on AS day, count(*) FILTER (is_order AND taken_back_on IS NULL) AS orders,
        count(DISTINCT customer_id) FILTER (is_order AND taken_back_on IS NULL) AS buyers,
        sum(gross) AS gross, sum(discounts) AS discounts,
        count(*) FILTER (unvalued AND is_order AND taken_back_on IS NULL) AS unvalued,
        count(*) FILTER (counts_as = 'unclear') AS unclear
    FROM core.order_values WHERE ordered_on IS NOT NULL GROUP BY 1
),
given_back AS (SELECT refunded_on AS day, sum(value) AS refunds FROM core.refunds WHERE value <> 0 GROUP BY 1)
SELECT
    day, coalesce(s.events, 0) AS events, coalesce(s.visitors, 0) AS visitors, coalesce(b.orders, 0) AS orders,
    coalesce(b.buyers, 0) AS buyers, coalesce(n.new_buyers, 0) AS new_buyers,
    coalesce(b.gross, 0) - coalesce(b.discounts, 0) - coalesce(g.refunds, 0) AS revenue,
    (SELECT currency FROM core.home_currency) AS currency, coalesce(b.unvalued, 0) AS unvalued_orders,
    coalesce(b.gross, 0) AS gross, coalesce(b.discounts, 0) AS discounts, coalesce(g.refunds, 0) AS refunds,
    coalesce(b.unclear, 0) AS unclear_orders
FROM seen AS s
FULL JOIN bought AS b USING (day)
FULL JOIN given_back AS g USING (day)
LEFT JOIN new_buyers AS n USING (day)
WHERE day IS NOT NULL
