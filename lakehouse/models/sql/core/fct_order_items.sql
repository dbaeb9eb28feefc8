/*
doc: "Lines of orders for reports: each sale and each refund of a line, with the product as it was then; sums are those of orders."
zh: "订单明细事实：每行的销售与退还及当时的商品版本；合计与订单一致。"
kind: view
grain: "one row a line of an order, and one a line of it for each refund"
key: [order_key, line_id, entry]
columns:
  - {name: order_key, doc: "Order: `core.fct_orders`", zh: "订单键"}
  - {name: line_id, doc: "Line of the order; empty where the order has none", zh: "行号"}
  - {name: entry, doc: "`sale`, or kind and id of the refund", zh: "sale，或退还的类别与编号"}
  - {name: day, type: date, doc: "Day of the sale or of the refund: `core.dim_date`", zh: "销售日或退还日"}
  - {name: customer_id, doc: "Customer: `core.dim_customer`; null while unresolved", zh: "客户；未识别时为空"}
  - {name: product_version, doc: "Product as of the order's time: `core.dim_product`; null where no catalogue knows it", zh: "下单时的商品版本；目录中没有时为空"}
  - {name: product_key, doc: "Product: `source:product_id`; null where the line names none", zh: "商品键；未写时为空"}
  - {name: category, doc: "Its category as the catalogue has it now", zh: "类目（现目录）"}
  - {name: category_then, doc: "Its category as the catalogue had it at the order's time", zh: "类目（下单时的目录）"}
  - {name: channel, doc: "web, app, store, … as the shop calls it", zh: "销售渠道"}
  - {name: region_code, doc: "ISO 3166-2 of where it went", zh: "省份代码"}
  - {name: quantity, type: "decimal(18,3)", doc: "Units sold; null of refunds", zh: "售出数量；退还时为空"}
  - {name: gross, type: "decimal(18,2)", doc: "Before discounts and refunds, in the home currency", zh: "总额（本位币）"}
  - {name: discounts, type: "decimal(18,2)", doc: "Its part of the discounts", zh: "分摊的优惠"}
  - {name: refunds, type: "decimal(18,2)", doc: "Its part of what was given back", zh: "分摊的退还"}
  - {name: net, type: "decimal(18,2)", doc: "What is left", zh: "净额"}
*/
SELECT concat_ws(':', l.source, l.order_id) AS order_key, l.line_id, l.entry, l.day, l.customer_id, p.product_version,
    CASE WHEN l.product_id IS NOT NULL THEN concat_ws(':', l.product_source, l.product_id) END AS product_key, l.category,
    p.category AS category_then, l.channel, l.region_code, l.quantity, l.gross, l.discounts, l.refunds, l.value AS net
FROM core.sales_ledger AS l
LEFT JOIN core.order_values AS v ON v.source = l.source AND v.order_id = l.order_id
LEFT JOIN core.dim_product AS p ON p.source = l.product_source AND p.product_id = l.product_id
    AND p.counts_from <= coalesce(v.ordered_at, CAST(l.day AS TIMESTAMPTZ))
    AND (p.counts_to > coalesce(v.ordered_at, CAST(l.day AS TIMESTAMPTZ)) OR p.counts_to IS NULL)
