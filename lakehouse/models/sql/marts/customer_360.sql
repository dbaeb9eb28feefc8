-- table: marts.customer_360
-- inputs: core.customers, core.order_values, core.home_currency, core.home_rates, core.deals, core.consent_answers, core.identities, raw.events
-- as_of: yes
-- Sums are in the home currency. An order without a rate is in no sum, and counted; open deals count at the rate of `as_of`.
WITH bought AS (
    SELECT customer_id, count(*) AS orders, count(DISTINCT CAST(ordered_at AS DATE)) AS purchase_days,
        sum(value) AS revenue, count(*) FILTER (unvalued) AS unvalued,
        min(CAST(ordered_at AS DATE)) AS first_order_on,
        max(CAST(ordered_at AS DATE)) AS last_order_on,
        count(*) FILTER (CAST(ordered_at AS DATE) > getvariable('as_of') - 90) AS orders_90d,
        coalesce(sum(value) FILTER (CAST(ordered_at AS DATE) > getvariable('as_of') - 90), 0) AS revenue_90d
    FROM core.order_values
    WHERE CAST(ordered_at AS DATE) <= getvariable('as_of') AND customer_id IS NOT NULL
    GROUP BY customer_id
),
seen AS (
    SELECT customer_id, count(*) AS events, count(DISTINCT CAST(timestamp AS DATE)) AS active_days,
        max(timestamp) AS last_event_at
    FROM core.events
    WHERE CAST(timestamp AS DATE) <= getvariable('as_of') AND customer_id IS NOT NULL
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
            ELSE CAST(d.amount * r.rate AS DECIMAL(18, 2)) END
    ) AS open_deal_amount
    FROM core.deals AS d
    LEFT JOIN core.home_currency AS h ON true
    LEFT JOIN latest_rates AS r ON r.currency = d.currency
    WHERE valid_to IS NULL AND CAST(created_at AS DATE) <= getvariable('as_of') AND customer_id IS NOT NULL
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
    coalesce(b.purchase_days, 0) AS purchase_days, coalesce(b.revenue, 0) AS revenue,
    b.revenue / nullif(b.orders - b.unvalued, 0) AS average_order, b.first_order_on, b.last_order_on,
    date_diff('day', b.last_order_on, getvariable('as_of')) AS recency_days,
    CASE WHEN b.purchase_days > 1
        THEN date_diff('day', b.first_order_on, b.last_order_on) / (b.purchase_days - 1) END AS mean_gap_days,
    coalesce(b.orders_90d, 0) AS orders_90d, coalesce(b.revenue_90d, 0) AS revenue_90d,
    coalesce(s.events, 0) AS events, coalesce(s.active_days, 0) AS active_days, coalesce(d.devices, 0) AS devices,
    s.last_event_at, c.contacts, coalesce(o.open_deals, 0) AS open_deals,
    coalesce(o.open_deal_amount, 0) AS open_deal_amount, k.granted AS email_marketing,
    (SELECT currency FROM core.home_currency) AS currency, coalesce(b.unvalued, 0) AS unvalued_orders
FROM core.customers AS c
LEFT JOIN bought AS b USING (customer_id)
LEFT JOIN seen AS s USING (customer_id)
LEFT JOIN devices AS d USING (customer_id)
LEFT JOIN selling AS o USING (customer_id)
LEFT JOIN consent AS k USING (customer_id)
