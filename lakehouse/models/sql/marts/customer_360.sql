/*
doc: "What a customer is like, as of a day; carries no personal data."
zh: "截至某日客户的全貌；不含个人信息。"
grain: "one row a customer"
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: as_of, type: date, doc: "Day the row looks back from; later facts are left out", zh: "回看的日期；之后的事实不计"}
  - {name: orders, type: long, doc: "Orders of which something is left", zh: "尚有剩余的订单数"}
  - {name: purchase_days, type: long, doc: "Distinct days with such an order, in the zone of the business", zh: "有这类订单的天数（业务时区）"}
  - {name: revenue, type: "decimal(18,2)", doc: "Gross less discounts less refunds, in `currency`", zh: "净收入：总额减优惠减退还"}
  - {name: average_order, type: "decimal(18,2)", doc: "Revenue over the orders in it", zh: "客单价"}
  - {name: first_order_on, type: date, doc: "Day of the first order", zh: "首单日期"}
  - {name: last_order_on, type: date, doc: "Day of the last order", zh: "末单日期"}
  - {name: recency_days, type: int, doc: "Days from the last order to `as_of`", zh: "末单距今天数"}
  - {name: mean_gap_days, type: double, doc: "Mean days between purchase days; null below two", zh: "购买日之间的平均天数；少于两次时为空"}
  - {name: orders_90d, type: long, doc: "Orders in the last 90 days", zh: "近 90 天订单数"}
  - {name: revenue_90d, type: "decimal(18,2)", doc: "Revenue of the last 90 days: their sales less their refunds", zh: "近 90 天净收入"}
  - {name: events, type: long, doc: "Tracked messages, without those of robots", zh: "跟踪事件数（不含机器人）"}
  - {name: active_days, type: long, doc: "Distinct days with a tracked message", zh: "有事件的天数"}
  - {name: devices, type: long, doc: "Anonymous ids tied to the customer", zh: "关联的匿名设备数"}
  - {name: last_event_at, type: timestamptz, doc: "Last tracked message", zh: "最近一次事件"}
  - {name: contacts, type: long, doc: "CRM contact records", zh: "CRM 联系人记录数"}
  - {name: open_deals, type: long, doc: "Deals not closed", zh: "未关闭的商机数"}
  - {name: open_deal_amount, type: "decimal(18,2)", doc: "Their value in `currency`, as far as a rate is known", zh: "其金额（已知汇率的部分）"}
  - {name: email_marketing, type: boolean, doc: "May be e-mailed for marketing at some address; null where nothing was said", zh: "是否可发营销邮件；从未表态时为空"}
  - {name: currency, type: string, doc: "ISO 4217 of all sums: that of most orders", zh: "合计所用的货币"}
  - {name: unvalued_orders, type: long, doc: "Orders in another currency without a rate; they are in no sum", zh: "没有汇率的外币订单数；不进合计"}
  - {name: gross, type: "decimal(18,2)", doc: "Sum of orders before discounts and refunds, in `currency`", zh: "优惠与退还之前的总额"}
  - {name: discounts, type: "decimal(18,2)", doc: "Sum of discounts in `currency`", zh: "优惠合计"}
  - {name: refunds, type: "decimal(18,2)", doc: "Sum of what was given back by `as_of`, in `currency`", zh: "截至该日的退还合计"}
  - {name: unclear_orders, type: long, doc: "Orders of a status that nobody knows, or without a time; they are in no sum", zh: "状态不明或没有时间的订单数；不进合计"}
incremental:
  by: customer_id
  of:
    core.customers: customer_id
    core.order_values: customer_id
    core.refunds: customer_id
    core.deals: customer_id
    core.consent_answers: customer_id
    core.identities: customer_id
    core.activity_days: [user_id, anonymous_id]
audits:
  - {name: "net is gross less discounts less refunds", condition: "revenue = gross - discounts - refunds"}
  - {name: "purchase days are days of orders", condition: "purchase_days <= orders"}
  - {name: "active days are days of events", condition: "active_days <= events"}
*/
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
    SELECT customer_id, sum(events) AS events, count(DISTINCT day) AS active_days, max(last_event_at) AS last_event_at
    FROM (
        SELECT coalesce(u.customer_id, d.customer_id) AS customer_id, a.day, a.events, a.last_event_at
        FROM core.activity_days AS a
        LEFT JOIN core.identities AS u ON u.identifier_type = 'user_id' AND u.identifier_value = a.user_id
        LEFT JOIN core.identities AS d ON d.identifier_type = 'anonymous_id' AND d.identifier_value = a.anonymous_id
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
