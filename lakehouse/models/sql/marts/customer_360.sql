-- table: marts.customer_360
-- inputs: core.customers, core.order_values, core.refunds, core.home_currency, core.home_rates, core.deals, core.consent_answers, core.identities, raw.events
-- as_of: yes
-- time_zone: yes
-- Sums are in the home currency, refunds count from their own day. An order counts as long as something is left of it; one
-- without a rate, or of an unclear status, is in no sum, and counted; open deals count at the rate of `as_of`.
WITH orders AS (
    SELECT *, is_order AND coalesce(taken_back_on > getvariable('as_of'), true) AS counts,
        ordered_on > getvariable('as_of') - 90 AS is_recent
    FROM core.order_values
    WHERE coalesce(ordered_on <= getvariable('as_of'), true) AND customer_id IS NOT NULL
),
bought AS (
    SELECT customer_id, count(*) FILTER (counts) AS orders, count(DISTINCT ordered_on) FILTER (counts) AS purchase_days,
        coalesce(sum(gross), 0) AS gross, coalesce(sum(discounts), 0) AS discounts,
        count(*) FILTER (counts AND unvalued) AS unvalued, count(*) FILTER (counts_as = 'unclear') AS unclear,
        min(ordered_on) FILTER (counts) AS first_order_on, max(ordered_on) FILTER (counts) AS last_order_on,
        count(*) FILTER (counts AND is_recent) AS orders_90d,
        coalesce(sum(gross - discounts) FILTER (is_recent), 0) AS sales_90d
    FROM orders
    GROUP BY customer_id
),
given_back AS (
    SELECT customer_id, sum(value) AS refunds,
        coalesce(sum(value) FILTER (refunded_on > getvariable('as_of') - 90), 0) AS refunds_90d
    FROM core.refunds
    WHERE refunded_on <= getvariable('as_of') AND customer_id IS NOT NULL AND value <> 0
    GROUP BY customer_id
),
seen AS (
    SELECT customer_id, count(*) AS events, count(DISTINCT day) AS active_days, max(timestamp) AS last_event_at
    FROM (
        SELECT customer_id, timestamp, CAST(timestamp AT TIME ZONE getvariable('time_zone') AS DATE) AS day
        FROM core.events
    )
    WHERE day <= getvariable('as_of') AND customer_id IS NOT NULL
    GROUP BY customer_id
),
devices AS (
    SELECT customer_id, count(*) AS devices FROM core.identities
    WHERE identifier_type = 'anonymous_id' GROUP BY customer_id
),
latest_rates AS (
    SELECT currency, arg_max(rate, day) AS rate FROM core.home_rates WHERE day <= getvariable('as_of') GROUP BY currency
),
selling AS (
    SELECT d.customer_id, count(*) AS open_deals, sum(
        CASE WHEN d.currency IS NULL OR d.currency = h.currency THEN d.amount
            ELSE TRY_CAST(d.amount * r.rate AS DECIMAL(18, 2)) END
    ) AS open_deal_amount
    FROM core.deals AS d
    LEFT JOIN core.home_currency AS h ON true
    LEFT JOIN latest_rates AS r ON r.currency = d.currency
    WHERE valid_to IS NULL AND customer_id IS NOT NULL
        AND CAST(created_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of')
        AND NOT (coalesce(is_closed, false) AND coalesce(close_date <= getvariable('as_of'), true))
    GROUP BY customer_id
),
consent AS (
    SELECT customer_id, bool_or(allowed) AS granted FROM core.consent_answers
    WHERE purpose = 'marketing' AND channel = 'email'
    GROUP BY customer_id
)
SELECT
    c.customer_id, getvariable('as_of') AS as_of, coalesce(b.orders, 0) AS orders,
    coalesce(b.purchase_days, 0) AS purchase_days,
    coalesce(b.gross - b.discounts, 0) - coalesce(g.refunds, 0) AS revenue,
    (b.gross - b.discounts - coalesce(g.refunds, 0)) / nullif(b.orders - b.unvalued, 0) AS average_order,
    b.first_order_on, b.last_order_on,
    date_diff('day', b.last_order_on, getvariable('as_of')) AS recency_days,
    CASE WHEN b.purchase_days > 1
        THEN date_diff('day', b.first_order_on, b.last_order_on) / (b.purchase_days - 1) END AS mean_gap_days,
    coalesce(b.orders_90d, 0) AS orders_90d,
    coalesce(b.sales_90d, 0) - coalesce(g.refunds_90d, 0) AS revenue_90d,
    coalesce(s.events, 0) AS events, coalesce(s.active_days, 0) AS active_days, coalesce(d.devices, 0) AS devices,
    s.last_event_at, c.contacts, coalesce(o.open_deals, 0) AS open_deals,
    coalesce(o.open_deal_amount, 0) AS open_deal_amount, k.granted AS email_marketing,
    (SELECT currency FROM core.home_currency) AS currency, coalesce(b.unvalued, 0) AS unvalued_orders,
    coalesce(b.gross, 0) AS gross, coalesce(b.discounts, 0) AS discounts, coalesce(g.refunds, 0) AS refunds,
    coalesce(b.unclear, 0) AS unclear_orders
FROM core.customers AS c
LEFT JOIN bought AS b USING (customer_id)
LEFT JOIN given_back AS g USING (customer_id)
LEFT JOIN seen AS s USING (customer_id)
LEFT JOIN devices AS d USING (customer_id)
LEFT JOIN selling AS o USING (customer_id)
LEFT JOIN consent AS k USING (customer_id)
