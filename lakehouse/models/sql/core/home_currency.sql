/*
doc: "The company's currency: that of most orders, else of most deals. All sums are in it."
zh: "公司的本位币：多数订单使用的货币，否则多数商机使用的货币。所有金额都以它计。"
grain: "one row in all, once an order or deal names a currency"
key: [currency]
columns:
  - {name: currency, type: string, doc: "ISO 4217", zh: "货币代码 ISO 4217"}
  - {name: orders, type: long, doc: "Orders that name it", zh: "使用它的订单数"}
  - {name: deals, type: long, doc: "Deals that name it, as they stand now", zh: "使用它的商机数（现状）"}
*/
-- The currency of most orders that count; where that is a tie, or nobody ordered, the one that most orders and deals name
-- together.
SELECT currency, count(*) FILTER (ordered) AS orders, count(*) FILTER (NOT ordered) AS deals
FROM (
    SELECT currency, true AS ordered FROM core.orders WHERE coalesce(counts_as, 'sold') IN ('sold', 'refunded', 'return')
    UNION ALL
    SELECT currency, false FROM core.deals WHERE valid_to IS NULL
)
WHERE currency IS NOT NULL
GROUP BY currency
ORDER BY orders DESC, orders + deals DESC, currency
LIMIT 1
