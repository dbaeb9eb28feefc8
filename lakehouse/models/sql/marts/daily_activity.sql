/*
doc: "What happened each day on the site and in the shop."
zh: "每天网站上和店里发生了什么。"
grain: "one row a day"
key: [day]
sort: [day]
columns:
  - {name: day, type: date, doc: "Day in the zone of the business", zh: "日期（业务时区）"}
  - {name: events, type: long, doc: "Tracked messages of people, not of robots", zh: "跟踪事件数（不含机器人）"}
  - {name: visitors, type: long, doc: "Distinct customers or anonymous ids seen", zh: "访客数：客户或匿名编号"}
  - {name: orders, type: long, doc: "Orders of which something is left", zh: "尚有剩余的订单数"}
  - {name: buyers, type: long, doc: "Distinct customers with such an order", zh: "有这类订单的客户数"}
  - {name: new_buyers, type: long, doc: "Customers whose first order it was", zh: "首次下单的客户数"}
  - {name: revenue, type: "decimal(18,2)", doc: "Gross less discounts less refunds of the day, in `currency`", zh: "当日净收入：总额减优惠减退还"}
  - {name: currency, type: string, doc: "ISO 4217 of the sum: that of most orders", zh: "合计所用的货币"}
  - {name: unvalued_orders, type: long, doc: "Orders in another currency without a rate; they are in no sum", zh: "没有汇率的外币订单数；不进合计"}
  - {name: gross, type: "decimal(18,2)", doc: "Sum of orders before discounts and refunds, in `currency`", zh: "优惠与退还之前的总额"}
  - {name: discounts, type: "decimal(18,2)", doc: "Sum of discounts in `currency`", zh: "优惠合计"}
  - {name: refunds, type: "decimal(18,2)", doc: "Sum of what was given back that day, in `currency`", zh: "当日退还合计"}
  - {name: unclear_orders, type: long, doc: "Orders of a status that nobody knows, or without a time; they are in no sum", zh: "状态不明或没有时间的订单数；不进合计"}
incremental:
  by: day
  of:
    core.activity_days: day
    core.order_values: ordered_on
    core.refunds: refunded_on
    core.first_orders: ordered_on
    core.identities: {core.activity_days: [user_id, anonymous_id]}
audits:
  - {name: "net is gross less discounts less refunds", condition: "revenue = gross - discounts - refunds"}
  - {name: "new buyers are buyers", condition: "new_buyers <= buyers"}
*/
-- Sums are in the home currency, sales on the day of the order and refunds on their own. An order that was wholly taken back
-- since is in the sums, and in no count. One without a rate, or of an unclear status, is in no sum, and counted.
-- Days of the future are there, if a row names them.
WITH seen AS (
    SELECT a.day, sum(a.events) AS events,
        count(DISTINCT coalesce(u.customer_id, d.customer_id, a.anonymous_id, a.user_id)) AS visitors
    FROM core.activity_days AS a
    LEFT JOIN core.identities AS u ON u.identifier_type = 'user_id' AND u.identifier_value = a.user_id
    LEFT JOIN core.identities AS d ON d.identifier_type = 'anonymous_id' AND d.identifier_value = a.anonymous_id
    GROUP BY a.day
),
new_buyers AS (SELECT ordered_on AS day, count(*) AS new_buyers FROM core.first_orders GROUP BY 1),
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
