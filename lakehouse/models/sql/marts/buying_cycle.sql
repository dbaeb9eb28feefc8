/*
doc: "How often each customer buys a product or category, and when it is due again."
zh: "客户对每种商品、每个类目的购买周期与下次到期日。"
grain: "one row a customer and product, or category, bought on at least three days"
key: [customer_id, kind, product_source, item]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: kind, type: string, doc: "product or category", zh: "product（商品）或 category（类目）"}
  - {name: product_source, type: string, doc: "Catalogue of the product; empty of a category", zh: "商品所属目录；类目为空文本"}
  - {name: item, type: string, doc: "Id of the product, or the category", zh: "商品编号或类目"}
  - {name: name, type: string, doc: "Name of the product as of the last purchase, or the category", zh: "商品名称（以末次购买为准）或类目"}
  - {name: purchases, type: long, doc: "Distinct days on which it was bought", zh: "购买天数"}
  - {name: first_on, type: date, doc: "First of them", zh: "首次购买日"}
  - {name: last_on, type: date, doc: "Last of them", zh: "末次购买日"}
  - {name: gap_days, type: double, doc: "Median days from one to the next", zh: "间隔天数的中位数"}
  - {name: regular, type: double, doc: "Share of gaps within a quarter of the median, 0 to 1: how much of a cycle it is", zh: "规律性：与中位数相差不超过四分之一的间隔所占比例"}
  - {name: due_on, type: date, doc: "Last purchase and the median gap", zh: "到期日：末次购买加间隔中位数"}
  - {name: days_to_due, type: int, doc: "Days from `as_of` until then; below zero once it is over", zh: "距到期天数；已过为负"}
  - {name: standing, type: string, doc: "waiting; due from a tenth of the gap before that day; lapsed once a gap has gone by since", zh: "waiting 未到；due 到期（提前十分之一间隔起）；lapsed 已过一个周期"}
incremental:
  by: customer_id
  of:
    core.order_products: customer_id
audits:
  - {name: "there are two gaps at least", condition: "purchases >= 3 AND gap_days >= 1"}
*/
-- Days, not orders: two orders of a day are one purchase. The median bears one long holiday; two gaps are the least that tell
-- a cycle from chance, and `regular` says how much they do. An order counts while something is left of it.
WITH bought AS (
    SELECT DISTINCT customer_id, 'product' AS kind, product_source, product_id AS item, ordered_on AS day
    FROM core.order_products
    WHERE ordered_on <= getvariable('as_of') AND coalesce(taken_back_on > getvariable('as_of'), true) AND customer_id IS NOT NULL
    UNION ALL
    SELECT DISTINCT customer_id, 'category', '', category, ordered_on
    FROM core.order_products
    WHERE ordered_on <= getvariable('as_of') AND coalesce(taken_back_on > getvariable('as_of'), true) AND customer_id IS NOT NULL
        AND category IS NOT NULL
),
gaps AS (
    SELECT *, day - lag(day) OVER (PARTITION BY customer_id, kind, product_source, item ORDER BY day) AS gap FROM bought
),
cycles AS (
    SELECT customer_id, kind, product_source, item, count(*) AS purchases, min(day) AS first_on, max(day) AS last_on,
        median(gap) AS gap_days, list(gap) FILTER (gap IS NOT NULL) AS all_gaps
    FROM gaps
    GROUP BY customer_id, kind, product_source, item
    HAVING count(*) >= 3
),
names AS (
    SELECT p.customer_id, p.product_source, p.product_id AS item, arg_max(p.product, (p.ordered_on, p.order_id)) AS name
    FROM core.order_products AS p
    JOIN cycles AS c ON c.customer_id = p.customer_id AND c.product_source = p.product_source AND c.item = p.product_id
    WHERE c.kind = 'product'
    GROUP BY p.customer_id, p.product_source, p.product_id
),
dated AS (
    SELECT c.*, coalesce(n.name, c.item) AS name, c.last_on + CAST(round(c.gap_days) AS INTEGER) AS due_on,
        len(list_filter(c.all_gaps, lambda gap: abs(gap - c.gap_days) <= c.gap_days / 4)) / len(c.all_gaps) AS regular
    FROM cycles AS c
    LEFT JOIN names AS n ON c.kind = 'product' AND n.customer_id = c.customer_id AND n.product_source = c.product_source AND n.item = c.item
)
SELECT customer_id, kind, product_source, item, name, purchases, first_on, last_on, gap_days, regular, due_on,
    due_on - getvariable('as_of') AS days_to_due,
    CASE
        WHEN getvariable('as_of') - due_on > gap_days THEN 'lapsed'
        WHEN due_on - getvariable('as_of') <= gap_days / 10 THEN 'due'
        ELSE 'waiting'
    END AS standing
FROM dated
