/*
doc: "Orders for reports: money in the home currency as in `core.order_values`, who sold it, as that person was then."
zh: "订单事实：本位币金额（同 core.order_values），以及当时的销售员版本。"
kind: view
grain: "one row an order"
key: [order_key]
columns:
  - {name: order_key, doc: "Identifies the order: `source:order_id`", zh: "订单键"}
  - {name: source, doc: "Shop", zh: "店铺"}
  - {name: order_id, doc: "Order number in its source", zh: "订单编号"}
  - {name: day, type: date, doc: "Day of the order: `core.dim_date`", zh: "下单日"}
  - {name: ordered_at, type: timestamptz, doc: "Time of the order, UTC", zh: "下单时间（UTC）"}
  - {name: customer_id, doc: "Customer: `core.dim_customer`; null while unresolved", zh: "客户；未识别时为空"}
  - {name: salesperson_version, doc: "Who sold it, as of then: `core.dim_salesperson`; null where nobody is named or known", zh: "当时的销售员版本；未知时为空"}
  - {name: channel, doc: "web, app, store, … as the shop calls it", zh: "销售渠道"}
  - {name: counts_as, doc: "sold, refunded, return, pending, cancelled, test or unclear", zh: "计入方式"}
  - {name: is_order, type: boolean, doc: "It counts as an order", zh: "算作订单"}
  - {name: gross, type: "decimal(18,2)", doc: "Before discounts and refunds", zh: "总额"}
  - {name: discounts, type: "decimal(18,2)", doc: "Taken off before it was paid", zh: "优惠"}
  - {name: refunds, type: "decimal(18,2)", doc: "Given back since", zh: "退还"}
  - {name: net, type: "decimal(18,2)", doc: "What is left", zh: "净额"}
  - {name: currency, doc: "ISO 4217 of all sums", zh: "币种（本位币）"}
*/
SELECT concat_ws(':', v.source, v.order_id) AS order_key, v.source, v.order_id, v.ordered_on AS day, v.ordered_at, v.customer_id,
    s.salesperson_version, o.channel, v.counts_as, v.is_order, v.gross, v.discounts, v.refunds, v.value AS net,
    v.home_currency AS currency
FROM core.order_values AS v
LEFT JOIN core.orders AS o ON o.source = v.source AND o.order_id = v.order_id
LEFT JOIN (
    SELECT a.source, a.order_id, d.salesperson_version
    FROM core.orders AS a
    JOIN core.dim_salesperson AS d ON d.source = a.source AND d.user_id = a.user_id AND d.counts_from <= a.ordered_at
        AND (d.counts_to > a.ordered_at OR d.counts_to IS NULL)
) AS s ON s.source = v.source AND s.order_id = v.order_id
