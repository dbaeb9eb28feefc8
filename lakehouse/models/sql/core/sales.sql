/*
doc: "Orders with their day, their rate and what they were sold for; a step on the way to `core.order_values`."
zh: "订单及其日期、汇率与成交金额；通往 core.order_values 的一步。"
only_on: duckdb
grain: "one row an order"
key: [source, order_id]
sort: [ordered_at, order_id]
columns:
  - {name: source, type: string, doc: "Shop", zh: "店铺"}
  - {name: order_id, type: string, doc: "Order number in its source", zh: "来源系统的订单号"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: ordered_at, type: timestamptz, doc: "Time of the order, UTC", zh: "下单时间（UTC）"}
  - {name: ordered_on, type: date, doc: "Day of the order in the zone of the business", zh: "下单日（业务时区）"}
  - {name: counts_as, type: string, doc: "As in `core.orders`", zh: "同 core.orders"}
  - {name: is_order, type: boolean, doc: "It counts as an order: sold, or refunded since", zh: "算作订单：已售，或售后退款"}
  - {name: amount, type: "decimal(18,2)", doc: "Value in `currency`, as in `core.orders`", zh: "原币金额，同 core.orders"}
  - {name: said_refunded, type: "decimal(18,2)", doc: "What the shop says was given back of it, in `currency`", zh: "店铺所说的已退金额（原币）"}
  - {name: currency, type: string, doc: "ISO 4217; null where the shop names none", zh: "原币代码；店铺未写时为空"}
  - {name: home_currency, type: string, doc: "ISO 4217 of `sale` and `discounts`", zh: "本位币代码"}
  - {name: rate, type: double, doc: "Units of the home currency for one of `currency`; null where none is known", zh: "汇率；未知时为空"}
  - {name: sale, type: "decimal(18,2)", doc: "`amount` in the home currency; null where it counts nowhere or has no rate", zh: "本位币金额；不计或无汇率时为空"}
  - {name: discounts, type: "decimal(18,2)", doc: "Taken off before that, in the home currency", zh: "此前的优惠（本位币）"}
  - {name: unvalued, type: boolean, doc: "It counts, has an amount, and no rate or no plausible value", zh: "应计、有金额，但没有汇率或金额不可信"}
incremental:
  by: "concat(source, ' ', order_id)"
  of:
    core.orders: "concat(source, ' ', order_id)"
audits:
  - {name: "an order that counts for money counts", condition: "sale IS NULL OR counts_as IN ('sold', 'refunded', 'return')"}
*/
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
