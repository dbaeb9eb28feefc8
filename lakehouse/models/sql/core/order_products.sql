/*
doc: "Which products were in which order, each once, with their category and whether they cost less than usual."
zh: "订单中的商品：每张订单每种商品一行，含类目与是否低于标价。"
only_on: duckdb
grain: "one row an order and product"
key: [source, order_id, product_source, product_id]
sort: [ordered_on, order_id]
columns:
  - {name: source, type: string, doc: "Shop", zh: "店铺"}
  - {name: order_id, type: string, doc: "Order number in its source", zh: "来源系统的订单号"}
  - {name: product_source, type: string, doc: "System whose catalogue names it; the shop where none does", zh: "商品所属目录的来源；没有目录时为店铺"}
  - {name: product_id, type: string, doc: "Product or SKU", zh: "商品编号或 SKU"}
  - {name: product, type: string, doc: "Its name as the catalogue has it now, else as the line has it", zh: "商品名称：现目录，否则订单行"}
  - {name: category, type: string, doc: "Its category as the catalogue has it now; null for a product never seen there", zh: "类目（现目录）；目录中没有时为空"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: ordered_on, type: date, doc: "Day of the order in the zone of the business", zh: "下单日（业务时区）"}
  - {name: taken_back_on, type: date, doc: "Day from which nothing is left of the order", zh: "从哪天起订单已无剩余"}
  - {name: quantity, type: "decimal(38,3)", doc: "Units in the order", zh: "数量"}
  - {name: list_price, type: "decimal(28,10)", doc: "List price of the day, where one is known in the line's currency", zh: "当日标价（同币种）；未知时为空"}
  - {name: unit_price, type: "decimal(28,10)", doc: "Least price of one unit in the order", zh: "订单中的最低单价"}
  - {name: is_reduced, type: boolean, doc: "Sold at least 3 % below the list price, or with a discount on the line; null where neither is known", zh: "低于标价至少 3% 或有行优惠；未知时为空"}
incremental:
  by: "concat(source, ' ', order_id)"
  of:
    core.order_items: "concat(source, ' ', order_id)"
    core.order_values: "concat(source, ' ', order_id)"
audits:
  - {name: "what is in an order is more than nothing", condition: "quantity > 0"}
*/
-- Orders that count (`core.order_values`), and lines of more than nothing: one below zero takes goods back. A line that says no
-- quantity is one unit; one that names no product is left out. A shop's own catalogue says which product it is; where the shop
-- has none, that of another system that knows the id, the first by name: see docs/decisions/0024-references.md.
WITH catalogue AS (
    SELECT source, product_id, arg_max(name, valid_from) AS name, arg_max(category, valid_from) AS category
    FROM core.products
    GROUP BY source, product_id
),
own AS (SELECT DISTINCT source FROM catalogue),
other AS (
    SELECT product_id, min(source) AS source, arg_min(name, source) AS name, arg_min(category, source) AS category
    FROM catalogue
    GROUP BY product_id
),
lines AS (
    SELECT i.source, i.order_id, i.product_id, min(i.name) AS name, min(i.currency) AS currency,
        sum(coalesce(i.quantity, 1)) AS quantity, min(i.unit_price) AS unit_price, bool_or(i.discount > 0) AS has_discount
    FROM core.order_items AS i
    WHERE i.product_id IS NOT NULL AND coalesce(i.quantity > 0, true)
        AND coalesce(i.amount >= 0, true)
    GROUP BY i.source, i.order_id, i.product_id
),
named AS (
    SELECT l.*, v.customer_id, v.ordered_on, v.ordered_at, v.taken_back_on, coalesce(c.name, o.name, l.name) AS product,
        coalesce(c.category, o.category) AS category, coalesce(c.source, o.source, l.source) AS product_source
    FROM lines AS l
    JOIN core.order_values AS v ON v.source = l.source AND v.order_id = l.order_id AND v.is_order
    LEFT JOIN catalogue AS c ON c.source = l.source AND c.product_id = l.product_id
    LEFT JOIN own ON own.source = l.source
    LEFT JOIN other AS o ON o.product_id = l.product_id AND own.source IS NULL
),
list_prices AS (
    SELECT source, product_id, currency, priced_from, max(price) AS price
    FROM core.prices
    WHERE kind = 'list' AND place_id IS NULL AND price > 0 AND priced_from IS NOT NULL
    GROUP BY source, product_id, currency, priced_from
)
SELECT n.source, n.order_id, n.product_source, n.product_id, n.product, n.category, n.customer_id, n.ordered_on,
    n.taken_back_on, n.quantity, p.price AS list_price, n.unit_price,
    CASE WHEN n.has_discount THEN true ELSE n.unit_price <= 0.97 * p.price END AS is_reduced
FROM named AS n
ASOF LEFT JOIN list_prices AS p
    ON p.source = n.product_source AND p.product_id = n.product_id AND p.currency = n.currency AND p.priced_from <= n.ordered_at
