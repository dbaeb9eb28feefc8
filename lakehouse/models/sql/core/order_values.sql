/*
doc: "What each order is worth in the home currency, after what was given back; every mart takes it from here."
zh: "每张订单扣除退还后值多少（本位币）；所有集市表都取自这里。"
grain: "one row an order"
key: [source, order_id]
sort: [ordered_at, order_id]
columns:
  - {name: source, type: string, doc: "Shop", zh: "店铺"}
  - {name: order_id, type: string, doc: "Order number in its source", zh: "来源系统的订单号"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: ordered_at, type: timestamptz, doc: "Time of the order, UTC", zh: "下单时间（UTC）"}
  - {name: amount, type: "decimal(18,2)", doc: "Value in `currency`, as in `core.orders`", zh: "原币金额，同 core.orders"}
  - {name: currency, type: string, doc: "ISO 4217; null where the shop names none: then `amount` is in the home currency", zh: "原币代码；为空时金额即本位币"}
  - {name: home_currency, type: string, doc: "ISO 4217 of `value`", zh: "本位币代码"}
  - {name: value, type: "decimal(18,2)", doc: "Net: gross less discounts less refunds; null where it counts nowhere or has no amount or rate", zh: "净额：总额减优惠减退还；不计或无金额、无汇率时为空"}
  - {name: unvalued, type: boolean, doc: "It counts, has an amount, and no rate or no plausible value: it is in no sum", zh: "应计、有金额，但没有汇率或金额不可信：不进任何合计"}
  - {name: ordered_on, type: date, doc: "Day of the order in the zone of the business", zh: "下单日（业务时区）"}
  - {name: counts_as, type: string, doc: "sold, refunded, return, pending, cancelled, test or unclear: see `core.orders`", zh: "sold、refunded、return、pending、cancelled、test 或 unclear：见 core.orders"}
  - {name: is_order, type: boolean, doc: "It counts as an order: sold, or refunded since", zh: "算作订单：已售，或售后退款"}
  - {name: gross, type: "decimal(18,2)", doc: "Before discounts and refunds, tax and shipping included", zh: "优惠与退还之前的总额，含税费与运费"}
  - {name: discounts, type: "decimal(18,2)", doc: "Taken off before it was paid", zh: "付款前的优惠"}
  - {name: refunds, type: "decimal(18,2)", doc: "Given back since: the sum of its rows in `core.refunds`", zh: "之后退还的金额：core.refunds 中各行之和"}
  - {name: taken_back_on, type: date, doc: "Day from which nothing is left of it; null as long as something is", zh: "从哪天起已无剩余；尚有剩余时为空"}
incremental:
  by: "concat(source, ' ', order_id)"
  of:
    core.sales: "concat(source, ' ', order_id)"
    core.refunds: "concat(source, ' ', coalesce(order_id, refund_id))"
audits:
  - {name: "net is gross less discounts less refunds", condition: "value = gross - discounts - refunds"}
*/
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
