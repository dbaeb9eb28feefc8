/*
doc: "What sells better or worse in which weather, against all other goods of the same city and month, with an interval of 95 %."
zh: "天气对各类目销售的影响：与同城同月其他类目相比，含 95% 区间。"
grain: "one row a kind of weather and category"
key: [weather, category]
sort: [weather, category]
columns:
  - {name: weather, type: string, doc: "rain (any rain or snow), heat (30 °C or more), frost (below 0 °C)", zh: "天气：rain 降水、heat 高温（30℃ 及以上）、frost 零下"}
  - {name: category, type: string, doc: "Category of the product", zh: "商品类目"}
  - {name: orders_with, type: long, doc: "Orders with the category on such days, in the city of the delivery", zh: "该天气下含该类目的订单数（收货城市）"}
  - {name: orders_without, type: long, doc: "Orders with it on other days", zh: "其他日子含该类目的订单数"}
  - {name: others_with, type: long, doc: "Orders with each other category on such days", zh: "该天气下含其他类目的订单数（每类计一次）"}
  - {name: others_without, type: long, doc: "Orders with each other category on other days", zh: "其他日子含其他类目的订单数（每类计一次）"}
  - {name: lift, type: double, doc: "How much more of it is sold on such days, as a part: 0.3 is 30 % more; null where nothing can be compared", zh: "提升比例：0.3 即多 30%；无法比较时为空"}
  - {name: low, type: double, doc: "Lower end of the interval", zh: "区间下限"}
  - {name: high, type: double, doc: "Upper end of the interval", zh: "区间上限"}
audits:
  - {name: "the interval holds the lift", condition: "low <= lift AND lift <= high"}
*/
-- The odds ratio of Mantel and Haenszel (1959) over strata of city and month, so that neither a rainy city nor a rainy season
-- passes for rain; its interval by Robins, Breslow and Greenland (1986). The other goods are the measure: what keeps people
-- from all shops alike is not seen. With many rows one in twenty leaves out zero by chance.
WITH city_days AS (
    SELECT p.city, w.day, bool_or(w.precipitation_mm > 0) AS rain, bool_or(w.temperature_max_c >= 30) AS heat,
        bool_or(w.temperature_min_c < 0) AS frost
    FROM core.weather AS w
    JOIN core.places AS p ON p.place_id = w.place_id AND p.kind = 'area' AND p.valid_to IS NULL
    WHERE p.city IS NOT NULL
    GROUP BY p.city, w.day
),
kinds AS (
    SELECT city, day, 'rain' AS weather, rain AS is_so FROM city_days
    UNION ALL
    SELECT city, day, 'heat', heat FROM city_days
    UNION ALL
    SELECT city, day, 'frost', frost FROM city_days
),
sold AS (
    SELECT DISTINCT l.source, l.order_id, l.category, o.city, l.day
    FROM core.sales_ledger AS l
    JOIN core.orders AS o ON o.source = l.source AND o.order_id = l.order_id
    WHERE l.is_order AND l.category IS NOT NULL AND l.day <= getvariable('as_of')
),
counted AS (
    SELECT s.city, date_trunc('month', s.day) AS month, s.category, k.weather, k.is_so, count(*) AS orders
    FROM sold AS s
    JOIN kinds AS k ON k.city = s.city AND k.day = s.day
    WHERE k.is_so IS NOT NULL
    GROUP BY ALL
),
strata AS (
    SELECT city, month, weather, category, coalesce(sum(orders) FILTER (is_so), 0) AS a,
        coalesce(sum(orders) FILTER (NOT is_so), 0) AS c
    FROM counted
    GROUP BY city, month, weather, category
),
tables AS (
    SELECT *, sum(a) OVER of_stratum - a AS b, sum(c) OVER of_stratum - c AS d, sum(a + c) OVER of_stratum AS n
    FROM strata
    WINDOW of_stratum AS (PARTITION BY city, month, weather)
),
summed AS (
    SELECT weather, category, sum(a) AS a, sum(b) AS b, sum(c) AS c, sum(d) AS d,
        nullif(sum(a * d / n), 0) AS r, nullif(sum(b * c / n), 0) AS s,
        sum((a + d) / n * a * d / n) AS pr, sum((b + c) / n * b * c / n) AS qs,
        sum((a + d) / n * b * c / n + (b + c) / n * a * d / n) AS ps_qr
    FROM tables
    GROUP BY weather, category
),
estimated AS (
    SELECT *, r / s AS ratio, sqrt(pr / (2 * r * r) + ps_qr / (2 * r * s) + qs / (2 * s * s)) AS deviation FROM summed
)
SELECT weather, category, a AS orders_with, c AS orders_without, b AS others_with, d AS others_without,
    ratio - 1 AS lift, ratio * exp(-1.96 * deviation) - 1 AS low, ratio * exp(1.96 * deviation) - 1 AS high
FROM estimated
