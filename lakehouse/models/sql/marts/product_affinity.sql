/*
doc: "Products that are bought together: how often, and how much more often than by chance, in the last 365 days."
zh: "商品关联：近 365 天哪些商品常被一起购买，比随机高多少。"
grain: "one row a product and another that at least 5 orders had together"
key: [product_source, product_id, with_source, with_id]
sort: [product_source, product_id]
columns:
  - {name: product_source, type: string, doc: "Catalogue of the product", zh: "商品所属目录"}
  - {name: product_id, type: string, doc: "Product", zh: "商品编号"}
  - {name: product, type: string, doc: "Its name", zh: "商品名称"}
  - {name: category, type: string, doc: "Its category", zh: "类目"}
  - {name: with_source, type: string, doc: "Catalogue of the other", zh: "另一商品所属目录"}
  - {name: with_id, type: string, doc: "The other product", zh: "另一商品编号"}
  - {name: with_product, type: string, doc: "Its name", zh: "另一商品名称"}
  - {name: with_category, type: string, doc: "Its category", zh: "另一商品类目"}
  - {name: orders, type: long, doc: "Orders that had both", zh: "同时含两者的订单数"}
  - {name: product_orders, type: long, doc: "Orders that had the product", zh: "含该商品的订单数"}
  - {name: with_orders, type: long, doc: "Orders that had the other", zh: "含另一商品的订单数"}
  - {name: all_orders, type: long, doc: "Orders that had any product", zh: "含任一商品的订单数"}
  - {name: support, type: double, doc: "Share of all orders that had both, 0 to 1", zh: "支持度：同时含两者的订单占比"}
  - {name: confidence, type: double, doc: "Of orders with the product, the share that had the other, too", zh: "置信度：含该商品的订单中也含另一商品的比例"}
  - {name: lift, type: double, doc: "Confidence over the share of all orders with the other; 1 is chance", zh: "提升度：置信度除以另一商品的占比；1 为随机"}
audits:
  - {name: "at least five", condition: "orders >= 5"}
  - {name: "shares are shares", condition: "support <= confidence AND confidence <= 1"}
*/
-- Support, confidence and lift of association rules (Agrawal, Imieliński, Swami 1993; Brin and others 1997), of pairs. A product
-- of an order counts once, however many; orders of one product count in the denominators. Both directions are rows: confidence
-- differs. An order of more than 100 products is a restocking, and is left out: its pairs say nothing, and there are thousands.
WITH baskets AS (
    SELECT source, order_id, product_source, product_id, product, category,
        count(*) OVER (PARTITION BY source, order_id) AS products
    FROM core.order_products
    WHERE ordered_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')
        AND coalesce(taken_back_on > getvariable('as_of'), true)
),
kept AS (FROM baskets WHERE products <= 100),
products AS (
    SELECT product_source, product_id, min(product) AS product, min(category) AS category, count(*) AS orders
    FROM kept
    GROUP BY product_source, product_id
),
pairs AS (
    SELECT a.product_source, a.product_id, b.product_source AS with_source, b.product_id AS with_id, count(*) AS orders
    FROM kept AS a
    JOIN kept AS b ON b.source = a.source AND b.order_id = a.order_id
        AND (b.product_source <> a.product_source OR b.product_id <> a.product_id)
    GROUP BY ALL
    HAVING count(*) >= 5
),
everything AS (SELECT count(*) AS orders FROM (SELECT DISTINCT source, order_id FROM kept))
SELECT p.product_source, p.product_id, a.product, a.category, p.with_source, p.with_id, b.product AS with_product,
    b.category AS with_category, p.orders, a.orders AS product_orders, b.orders AS with_orders, e.orders AS all_orders,
    p.orders / e.orders AS support, p.orders / a.orders AS confidence,
    p.orders * e.orders / (a.orders * b.orders) AS lift
FROM pairs AS p
JOIN products AS a ON a.product_source = p.product_source AND a.product_id = p.product_id
JOIN products AS b ON b.product_source = p.with_source AND b.product_id = p.with_id
CROSS JOIN everything AS e
