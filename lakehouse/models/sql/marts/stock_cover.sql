/*
doc: "How long the stock of each product lasts at the rate at which it sells, by place and in all."
zh: "库存覆盖：按销售速度，各商品库存还能卖多少天，分地点与合计。"
grain: "one row a product that was counted, and place; the row of place `all` is of all places"
key: [product_source, product_id, place_id]
sort: [product_id, place_id]
columns:
  - {name: product_source, type: string, doc: "Source whose catalogue has the product; that of the stock where none does", zh: "商品目录的来源；无目录时为库存来源"}
  - {name: product_id, type: string, doc: "Product", zh: "商品编号"}
  - {name: place_id, type: string, doc: "Where it lies; empty where the source has one place alone; `all` for all", zh: "地点；来源只有一个地点时为空文本；all 为合计"}
  - {name: product, type: string, doc: "Its name as the catalogue has it now", zh: "商品名称（现目录）"}
  - {name: category, type: string, doc: "Its category as the catalogue has it now", zh: "类目（现目录）"}
  - {name: place, type: string, doc: "Name of the place", zh: "地点名称"}
  - {name: counted_on, type: date, doc: "Day of the newest count; of `all` the oldest of these", zh: "最近盘点日；合计取其中最早的"}
  - {name: on_hand, type: "decimal(38,3)", doc: "Units there then; below zero where the source says so", zh: "当时库存；来源为负时照录"}
  - {name: reserved, type: "decimal(38,3)", doc: "Of these promised to somebody", zh: "其中已占用"}
  - {name: incoming, type: "decimal(38,3)", doc: "On its way there", zh: "在途"}
  - {name: available, type: "decimal(38,3)", doc: "On hand less reserved, not below zero", zh: "可用：现有减已占用，不小于零"}
  - {name: sold_90d, type: "decimal(38,3)", doc: "Units sold there in the 90 days up to the count, but for orders of which nothing is left; of `all` wherever they were sold", zh: "盘点日止 90 天内在该地点的销量（已全部退还的订单不计）；合计含所有地点"}
  - {name: days_in_stock, type: long, doc: "Of these 90 days those on which there was some: days of empty shelves say nothing of demand", zh: "其中有货的天数；缺货日不说明需求"}
  - {name: daily_rate, type: double, doc: "Units sold a day in stock; null where it never was", zh: "有货日的日均销量；从未有货时为空"}
  - {name: days_of_cover, type: double, doc: "Available over the daily rate; 0 where nothing is left; null where it does not sell", zh: "可售天数：可用除以日均销量；已无库存为 0；没有销量时为空"}
  - {name: runs_out_on, type: date, doc: "Day on which it will be gone at that rate; null beyond ten years", zh: "预计售罄日；超过十年时为空"}
  - {name: standing, type: string, doc: "out, low (less than 14 days), enough, much (more than 180 days) or does not sell", zh: "out 缺货、low 不足 14 天、enough 充足、much 超过 180 天、does not sell 无销量"}
audits:
  - {name: "cover is not below zero", condition: "days_of_cover >= 0 AND available >= 0"}
*/
-- The newest count of each product and place up to `as_of` counts; two of one moment are the larger. Sales are those of orders
-- that count, of their own place; an order that names no place is of none, so its sales are in `all` alone. A day is in stock
-- unless a count of it, or the last one before it, says that nothing was there; before the first count it is.
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
counts AS (
    SELECT coalesce(o.source, s.source) AS product_source, s.product_id, coalesce(s.place_id, '') AS place_id,
        CAST(s.counted_at AT TIME ZONE getvariable('time_zone') AS DATE) AS counted_on, s.counted_at, s.on_hand, s.reserved, s.ordered
    FROM core.stock_levels AS s
    LEFT JOIN own ON own.source = s.source
    LEFT JOIN other AS o ON o.product_id = s.product_id AND own.source IS NULL
    WHERE CAST(s.counted_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of') AND s.on_hand IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY product_source, s.product_id, coalesce(s.place_id, ''), counted_on ORDER BY s.counted_at DESC, s.on_hand DESC, s.source) = 1
),
newest AS (
    SELECT *
    FROM counts
    QUALIFY row_number() OVER (PARTITION BY product_source, product_id, place_id ORDER BY counted_on DESC) = 1
),
-- from each count to the next the shelf is as it says; before the first one it was not empty
spells AS (
    SELECT product_source, product_id, place_id, on_hand, counted_on,
        coalesce(lead(counted_on) OVER (PARTITION BY product_source, product_id, place_id ORDER BY counted_on), counted_on + 1) AS until
    FROM counts
),
empty_days AS (
    SELECT s.product_source, s.product_id, s.place_id,
        sum(greatest(date_diff('day', greatest(s.counted_on, n.counted_on - 89), least(s.until, n.counted_on + 1)), 0)) AS days
    FROM spells AS s
    JOIN newest AS n USING (product_source, product_id, place_id)
    WHERE s.on_hand <= 0
    GROUP BY s.product_source, s.product_id, s.place_id
),
sold AS (
    SELECT coalesce(l.product_source, l.source) AS product_source, l.product_id, coalesce(o.place_id, '') AS place_id, l.day,
        l.quantity AS units
    FROM core.sales_ledger AS l
    JOIN core.orders AS o ON o.source = l.source AND o.order_id = l.order_id
    WHERE l.is_order AND l.product_id IS NOT NULL AND l.quantity IS NOT NULL AND l.day <= getvariable('as_of')
        AND coalesce(l.taken_back_on > getvariable('as_of'), true)
),
by_place AS (
    SELECT n.product_source, n.product_id, n.place_id, sum(s.units) AS units
    FROM newest AS n
    JOIN sold AS s ON s.product_source = n.product_source AND s.product_id = n.product_id AND s.place_id = n.place_id
        AND s.day > n.counted_on - 90 AND s.day <= n.counted_on
    GROUP BY n.product_source, n.product_id, n.place_id
),
placed AS (
    SELECT n.product_source, n.product_id, n.place_id, n.counted_on, n.on_hand, n.reserved, n.ordered,
        greatest(n.on_hand - coalesce(n.reserved, 0), 0) AS available, greatest(coalesce(b.units, 0), 0) AS sold,
        90 - coalesce(e.days, 0) AS days_in_stock
    FROM newest AS n
    LEFT JOIN by_place AS b USING (product_source, product_id, place_id)
    LEFT JOIN empty_days AS e USING (product_source, product_id, place_id)
),
in_all AS (
    SELECT product_source, product_id, min(counted_on) AS counted_on, max(counted_on) AS last_on, sum(on_hand) AS on_hand,
        sum(reserved) AS reserved, sum(ordered) AS ordered, sum(available) AS available, max(days_in_stock) AS days_in_stock
    FROM placed
    GROUP BY product_source, product_id
),
everywhere AS (
    SELECT a.product_source, a.product_id, sum(s.units) AS units
    FROM in_all AS a
    JOIN sold AS s ON s.product_source = a.product_source AND s.product_id = a.product_id
        AND s.day > a.last_on - 90 AND s.day <= a.last_on
    GROUP BY a.product_source, a.product_id
),
covered AS (
    SELECT *, sold / nullif(days_in_stock, 0) AS daily_rate FROM placed
    UNION ALL
    SELECT a.product_source, a.product_id, 'all', a.counted_on, a.on_hand, a.reserved, a.ordered, a.available,
        greatest(coalesce(e.units, 0), 0), a.days_in_stock, greatest(coalesce(e.units, 0), 0) / nullif(a.days_in_stock, 0)
    FROM in_all AS a
    LEFT JOIN everywhere AS e USING (product_source, product_id)
),
judged AS (
    SELECT *, CASE WHEN available = 0 THEN 0 WHEN daily_rate > 0 THEN available / daily_rate END AS days_of_cover FROM covered
),
place_names AS (SELECT place_id, arg_max(name, (valid_from, source)) AS name FROM core.places GROUP BY place_id)
SELECT j.product_source, j.product_id, j.place_id, coalesce(c.name, o.name) AS product, coalesce(c.category, o.category) AS category,
    p.name AS place, j.counted_on, j.on_hand, j.reserved, j.ordered AS incoming, j.available, j.sold AS sold_90d, j.days_in_stock,
    j.daily_rate, j.days_of_cover,
    CASE WHEN j.days_of_cover < 3650 THEN j.counted_on + CAST(floor(j.days_of_cover) AS INTEGER) END AS runs_out_on,
    CASE
        WHEN j.available = 0 THEN 'out'
        WHEN j.days_of_cover IS NULL THEN 'does not sell'
        WHEN j.days_of_cover < 14 THEN 'low'
        WHEN j.days_of_cover <= 180 THEN 'enough'
        ELSE 'much'
    END AS standing
FROM judged AS j
LEFT JOIN catalogue AS c ON c.source = j.product_source AND c.product_id = j.product_id
LEFT JOIN other AS o ON o.product_id = j.product_id AND c.product_id IS NULL
LEFT JOIN place_names AS p ON p.place_id = j.place_id
