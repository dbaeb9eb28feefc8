-- table: core.sales
-- inputs: core.orders, core.home_currency, core.home_rates
-- time_zone: yes
-- An order in another currency counts at the rate of its day, or of the last day before it that has one. An amount without a
-- currency is taken to be in the home currency. Days are those of the business, whatever zone an order came from; an order of
-- 1970 or of 2099 counts on the day that it names. One worth 10^12 or more is taken for a slip, and is unvalued.
WITH dated AS (
    SELECT *, coalesce(counts_as, 'sold') AS state,
        CAST(ordered_at AT TIME ZONE getvariable('time_zone') AS DATE) AS ordered_on
    FROM core.orders
),
rated AS (
    SELECT o.*, h.currency AS home_currency,
        CASE WHEN o.currency IS NULL OR o.currency = h.currency THEN 1 ELSE r.rate END AS order_rate
    FROM dated AS o
    LEFT JOIN core.home_currency AS h ON true
    ASOF LEFT JOIN core.home_rates AS r ON r.currency = o.currency AND r.day <= o.ordered_on
),
valued AS (
    SELECT *, CASE WHEN abs(amount * order_rate) < 1e12 THEN CAST(amount * order_rate AS DECIMAL(18, 2)) END AS sale,
        CASE WHEN abs(discount * order_rate) < 1e12 THEN CAST(abs(discount) * order_rate AS DECIMAL(18, 2)) END AS saved
    FROM rated
)
SELECT source, order_id, customer_id, ordered_at, ordered_on, state AS counts_as,
    state IN ('sold', 'refunded') AS is_order, amount, abs(refunded) AS said_refunded, currency, home_currency,
    order_rate AS rate, CASE WHEN state IN ('sold', 'refunded', 'return') THEN sale END AS sale,
    coalesce(CASE WHEN state IN ('sold', 'refunded') AND sale IS NOT NULL THEN saved END, 0) AS discounts,
    state IN ('sold', 'refunded', 'return') AND amount IS NOT NULL AND sale IS NULL AS unvalued
FROM valued
