/*
doc: "What is complained of, by product and region, month by month, against the orders that had the product."
zh: "按商品、省份与月份统计的投诉主题，及其占含该商品订单的比例。"
grain: "one row a month, product, region and theme of a complaint"
key: [month, product_source, product_id, region_code, theme]
sort: [month, product_id]
columns:
  - {name: month, type: date, doc: "First day of the month in which the complaints came in, in the zone of the business", zh: "投诉月份的第一天（业务时区）"}
  - {name: product_source, type: string, doc: "Source whose catalogue has the product; empty where none can be told", zh: "商品目录的来源；无法确定时为空文本"}
  - {name: product_id, type: string, doc: "Product of the ticket, else the only one of its order; empty where neither tells one", zh: "工单所涉商品，否则其订单的唯一商品；无法确定时为空文本"}
  - {name: product, type: string, doc: "Its name as the catalogue has it now", zh: "商品名称（现目录）"}
  - {name: category, type: string, doc: "Its category, else that of all that the order holds", zh: "类目；否则为订单的唯一类目"}
  - {name: region_code, type: string, doc: "ISO 3166-2; `unknown` where nothing says so", zh: "省份代码；未知时为 unknown"}
  - {name: theme, type: string, doc: "What it is about, as in `core.ticket_facts`", zh: "主题，同 core.ticket_facts"}
  - {name: complaints, type: long, doc: "Complaints", zh: "投诉数"}
  - {name: satisfied, type: long, doc: "Of these rated 0.75 or better in the end", zh: "其中最终满意的数量"}
  - {name: rated, type: long, doc: "Of these rated", zh: "其中有评价的数量"}
  - {name: orders, type: long, doc: "Orders of the product in the region in that month; null where no product is told", zh: "当月该省份含该商品的订单数；商品未知时为空"}
  - {name: complaint_rate, type: double, doc: "Complaints over these orders; above 1 where they are of orders of months before; null without orders", zh: "投诉数除以订单数；投诉涉及之前月份的订单时可大于 1；无订单时为空"}
audits:
  - {name: "parts are no more than all", condition: "satisfied <= rated AND rated <= complaints"}
*/
-- One complaint is one row of one theme and product; that of an order of several products names none. Of several rows take the
-- sums of complaints; orders repeat in each theme, so take those of one theme, or of core.sales_ledger.
WITH products AS (
    SELECT source, order_id, min(product_source) AS product_source, min(product_id) AS product_id
    FROM core.sales_ledger
    WHERE is_order AND product_id IS NOT NULL
    GROUP BY source, order_id
    HAVING count(DISTINCT (product_source, product_id)) = 1
),
-- a ticket's order is one of its own system, where that sells, else the one of that number, if there is one only
only_orders AS (
    SELECT order_id, min(source) AS source, min(product_source) AS product_source, min(product_id) AS product_id
    FROM products
    GROUP BY order_id
    HAVING count(*) = 1
),
catalogue AS (
    SELECT product_id, min(source) AS source, arg_min(name, source) AS name, arg_min(category, source) AS category
    FROM (
        SELECT source, product_id, arg_max(name, valid_from) AS name, arg_max(category, valid_from) AS category
        FROM core.products
        GROUP BY source, product_id
    )
    GROUP BY product_id
),
complaints AS (
    SELECT CAST(date_trunc('month', f.created_on) AS DATE) AS month, f.theme, f.satisfaction,
        coalesce(f.region_code, 'unknown') AS region_code,
        coalesce(CASE WHEN t.product_id IS NOT NULL THEN c.source END, p.product_source, o.product_source, '') AS product_source,
        coalesce(t.product_id, p.product_id, o.product_id, '') AS product_id, f.category
    FROM core.ticket_facts AS f
    JOIN core.tickets AS t ON t.source = f.source AND t.ticket_id = f.ticket_id AND t.valid_to IS NULL
    LEFT JOIN products AS p ON p.source = t.source AND p.order_id = t.order_id
    LEFT JOIN only_orders AS o ON o.order_id = t.order_id
    LEFT JOIN catalogue AS c ON c.product_id = t.product_id
    WHERE f.is_complaint AND f.created_on <= getvariable('as_of')
),
sold AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, coalesce(product_source, '') AS product_source, product_id,
        coalesce(region_code, 'unknown') AS region_code, count(DISTINCT (source, order_id)) AS orders
    FROM core.sales_ledger
    WHERE is_order AND product_id IS NOT NULL
    GROUP BY ALL
)
SELECT n.month, n.product_source, n.product_id, min(c.name) AS product, coalesce(min(c.category), min(n.category)) AS category,
    n.region_code, n.theme, count(*) AS complaints, count(*) FILTER (n.satisfaction >= 0.75) AS satisfied,
    count(n.satisfaction) AS rated, CASE WHEN n.product_id <> '' THEN coalesce(min(s.orders), 0) END AS orders,
    count(*) / nullif(min(s.orders), 0) AS complaint_rate
FROM complaints AS n
LEFT JOIN sold AS s ON s.month = n.month AND s.product_source = n.product_source AND s.product_id = n.product_id
    AND s.region_code = n.region_code
LEFT JOIN catalogue AS c ON c.product_id = n.product_id
GROUP BY n.month, n.product_source, n.product_id, n.region_code, n.theme
