/*
doc: "What was sold and given back, by line of the order: each sale on its day, each refund on its own; sums are those of orders."
zh: "销售明细账：按订单行记录的销售与退还，各记在自己的日期；合计与订单一致。"
grain: "one row a line of an order, and one a line of it for each refund; an order without lines is one line"
key: [source, order_id, line_id, entry]
sort: [day, order_id]
columns:
  - {name: source, type: string, doc: "Shop", zh: "店铺"}
  - {name: order_id, type: string, doc: "Order number in its source", zh: "订单编号"}
  - {name: line_id, type: string, doc: "Line of the order; empty where the order has none", zh: "行号；订单没有明细时为空文本"}
  - {name: entry, type: string, doc: "`sale`, or kind and id of the refund, as in `core.refunds`", zh: "sale，或退还的类别与编号"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: day, type: date, doc: "Day of the sale or of the refund in the zone of the business", zh: "销售日或退还日（业务时区）"}
  - {name: product_id, type: string, doc: "Product as the line names it; null where it names none", zh: "商品编号；未写时为空"}
  - {name: product_source, type: string, doc: "Source whose id that is: the one whose catalogue the shop uses", zh: "该编号所属的来源：店铺所用目录的来源"}
  - {name: product, type: string, doc: "Its name as the catalogue has it now, else what the line says", zh: "商品名称：以现目录为准，否则取订单行"}
  - {name: category, type: string, doc: "Its category as the catalogue has it now; null for a product never seen there", zh: "类目：以现目录为准；目录中没有时为空"}
  - {name: region_code, type: string, doc: "ISO 3166-2: where it is delivered to, else that city's, else the customer's; null where unknown", zh: "省份代码：收货地，其次该城市所属，再次客户所在；未知时为空"}
  - {name: channel, type: string, doc: "web, app, store, … as the shop calls it", zh: "销售渠道"}
  - {name: quantity, type: "decimal(18,3)", doc: "Units sold; null of refunds", zh: "售出数量；退还时为空"}
  - {name: gross, type: "decimal(18,2)", doc: "Its part of the order before discounts and refunds, in the home currency; null without a rate", zh: "优惠与退还之前的金额（本位币）；无汇率时为空"}
  - {name: discounts, type: "decimal(18,2)", doc: "Its part of the discounts", zh: "分摊的优惠"}
  - {name: refunds, type: "decimal(18,2)", doc: "Its part of what was given back", zh: "分摊的退还"}
  - {name: value, type: "decimal(18,2)", doc: "Net: gross less discounts less refunds", zh: "净额：总额减优惠减退还"}
  - {name: is_order, type: boolean, doc: "A sale: its order counts as one; false of refunds", zh: "为销售（其订单算作订单）；退还为 false"}
  - {name: taken_back_on, type: date, doc: "Day from which nothing is left of the order; null as long as something is", zh: "从哪天起订单已无剩余；尚有剩余时为空"}
incremental:
  by: "concat(source, ' ', order_id)"
  of:
    core.order_values: "concat(source, ' ', order_id)"
    core.orders: "concat(source, ' ', order_id)"
    core.order_items: "concat(source, ' ', order_id)"
    core.returns: "concat(source, ' ', order_id)"
    core.refunds: "concat(source, ' ', coalesce(order_id, refund_id))"
    core.contacts: {core.order_values: customer_id, core.refunds: customer_id}
audits:
  - {name: "net is gross less discounts less refunds", condition: "value = gross - discounts - refunds"}
*/
-- What an order is worth, and what was given back of it, is said by core.order_values and core.refunds alone; here it is
-- divided among the order's lines by their amounts, to the cent, so that products, categories and orders come to one sum.
-- Lines below zero are goods taken back in an exchange: they bear their part below zero, unless they eat up the order: then
-- all lines weigh by their size. A return bears on the line that it names, a payment back on the lines that returns of its
-- order name, if these are worth as much; else on all.
WITH catalogue AS (
    SELECT source, product_id, arg_max(name, valid_from) AS name, arg_max(category, valid_from) AS category
    FROM core.products
    GROUP BY source, product_id
),
-- whose products a shop sells: its own where it has a catalogue, else those of any other source
others_catalogue AS (
    SELECT product_id, min(source) AS source, arg_min(name, source) AS name, arg_min(category, source) AS category
    FROM catalogue
    GROUP BY product_id
),
city_regions AS (
    SELECT city, min(region_code) AS region_code
    FROM core.places
    WHERE valid_to IS NULL AND city IS NOT NULL
    GROUP BY city
    HAVING count(DISTINCT region_code) = 1
),
homes AS (
    SELECT c.customer_id,
        arg_max(coalesce(c.region_code, r.region_code), (c.valid_from, c.source, c.contact_id)) AS region_code
    FROM core.contacts AS c
    LEFT JOIN city_regions AS r ON r.city = c.city
    WHERE c.valid_to IS NULL AND c.customer_id IS NOT NULL AND coalesce(c.region_code, r.region_code) IS NOT NULL
    GROUP BY c.customer_id
),
lines AS (
    SELECT source, order_id, line_id, product_id, name, quantity,
        CASE
            WHEN sum(abs(amount)) OVER of_order = 0 THEN 1
            WHEN 2 * sum(amount) OVER of_order >= sum(abs(amount)) OVER of_order THEN amount
            ELSE abs(amount)
        END AS weight
    FROM (SELECT * REPLACE (coalesce(amount, 0) AS amount) FROM core.order_items WHERE line_id IS NOT NULL)
    WINDOW of_order AS (PARTITION BY source, order_id)
),
named_by_return AS (
    SELECT r.source, r.order_id, r.return_id, coalesce(r.line_id, min(l.line_id)) AS line_id
    FROM core.returns AS r
    JOIN lines AS l ON l.source = r.source AND l.order_id = r.order_id
        AND (l.line_id = r.line_id OR r.line_id IS NULL AND l.product_id = r.product_id)
    GROUP BY r.source, r.order_id, r.return_id, r.line_id
),
named_in_order AS (SELECT DISTINCT source, order_id, line_id FROM named_by_return),
entries AS (
    SELECT source, order_id, 'sale' AS kind, NULL AS refund_id, 'sale' AS entry, customer_id, ordered_on AS day,
        gross, discounts, CASE WHEN gross IS NOT NULL THEN 0 END AS refunds, is_order, taken_back_on, gross AS order_gross
    FROM core.order_values
    WHERE is_order
    UNION ALL
    SELECT r.source, v.order_id, r.kind, r.refund_id, concat(r.kind, ' ', r.refund_id), r.customer_id, r.refunded_on,
        0, 0, r.value, false, v.taken_back_on, v.gross
    FROM core.refunds AS r
    JOIN core.order_values AS v ON v.source = r.source AND v.order_id = coalesce(r.order_id, r.refund_id)
    WHERE r.value <> 0
),
entry_lines AS (
    SELECT e.*, coalesce(l.line_id, '') AS line_id, l.product_id, l.name, l.quantity, coalesce(l.weight, 1) AS weight,
        CASE e.kind WHEN 'return' THEN b.line_id IS NOT NULL WHEN 'payment' THEN n.line_id IS NOT NULL ELSE false END
            AS is_named
    FROM entries AS e
    LEFT JOIN lines AS l ON l.source = e.source AND l.order_id = e.order_id
    LEFT JOIN named_by_return AS b
        ON b.source = e.source AND b.order_id = e.order_id AND b.return_id = e.refund_id AND b.line_id = l.line_id
    LEFT JOIN named_in_order AS n ON n.source = e.source AND n.order_id = e.order_id AND n.line_id = l.line_id
),
borne AS (
    SELECT * REPLACE (
        CASE WHEN is_named OR coalesce(
            sum(weight) FILTER (is_named) OVER of_entry / sum(weight) OVER of_entry * order_gross < refunds, true
        ) THEN weight ELSE 0 END AS weight)
    FROM entry_lines
    WINDOW of_entry AS (PARTITION BY source, order_id, entry)
),
shares AS (
    SELECT *,
        CASE WHEN all_weight = 0 THEN place / lines ELSE weight_so_far / all_weight END AS upto,
        CASE WHEN all_weight = 0 THEN (place - 1) / lines ELSE (weight_so_far - weight) / all_weight END AS before
    FROM (
        SELECT *, sum(weight) OVER (PARTITION BY source, order_id, entry) AS all_weight,
            count(*) OVER (PARTITION BY source, order_id, entry) AS lines,
            row_number() OVER in_order AS place, sum(weight) OVER in_order AS weight_so_far
        FROM borne
        WINDOW in_order AS (PARTITION BY source, order_id, entry ORDER BY line_id ROWS UNBOUNDED PRECEDING)
    )
),
divided AS (
    SELECT *,
        CASE WHEN upto = 1 THEN gross ELSE CAST(gross * upto AS DECIMAL(18, 2)) END
            - CASE WHEN before = 1 THEN gross ELSE CAST(gross * before AS DECIMAL(18, 2)) END AS line_gross,
        CASE WHEN upto = 1 THEN discounts ELSE CAST(discounts * upto AS DECIMAL(18, 2)) END
            - CASE WHEN before = 1 THEN discounts ELSE CAST(discounts * before AS DECIMAL(18, 2)) END AS line_discounts,
        CASE WHEN upto = 1 THEN refunds ELSE CAST(refunds * upto AS DECIMAL(18, 2)) END
            - CASE WHEN before = 1 THEN refunds ELSE CAST(refunds * before AS DECIMAL(18, 2)) END AS line_refunds
    FROM shares
)
SELECT d.source, d.order_id, d.line_id, d.entry, d.customer_id, d.day, d.product_id,
    CASE WHEN d.product_id IS NOT NULL THEN coalesce(other.source, d.source) END AS product_source,
    coalesce(own.name, other.name, d.name) AS product, coalesce(own.category, other.category) AS category,
    coalesce(o.region_code, r.region_code, h.region_code) AS region_code, o.channel,
    CASE WHEN d.is_order THEN d.quantity END AS quantity,
    d.line_gross AS gross, d.line_discounts AS discounts, d.line_refunds AS refunds,
    d.line_gross - d.line_discounts - d.line_refunds AS value, d.is_order, d.taken_back_on
FROM divided AS d
LEFT JOIN core.orders AS o ON o.source = d.source AND o.order_id = d.order_id
LEFT JOIN city_regions AS r ON r.city = o.city
LEFT JOIN homes AS h ON h.customer_id = d.customer_id
LEFT JOIN catalogue AS own ON own.source = d.source AND own.product_id = d.product_id
LEFT JOIN (SELECT DISTINCT source FROM catalogue) AS has_own ON has_own.source = d.source
LEFT JOIN others_catalogue AS other ON other.product_id = d.product_id AND has_own.source IS NULL
WHERE d.day IS NOT NULL AND (d.is_order OR d.line_refunds <> 0)
