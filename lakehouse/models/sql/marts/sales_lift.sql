/*
doc: "What sells better or worse in which weather, on which holidays and while it is reduced, against all other goods of the same place and month, with an interval of 95 %."
zh: "天气、节假日与促销对各类目销售的影响：与同地同月其他类目相比，含 95% 区间。"
only_on: duckdb
grain: "one row a kind of occasion, occasion and category"
key: [kind, occasion, category]
sort: [kind, occasion, category]
columns:
  - {name: kind, type: string, doc: "weather, holiday, school_holiday, sale (a day of sales in `core.calendar`) or promotion", zh: "类别：weather 天气、holiday 节假日、school_holiday 寒暑假、sale 促销日、promotion 降价促销"}
  - {name: occasion, type: string, doc: "rain, heat or frost; name of the holiday; `reduced` of promotions", zh: "rain 降水、heat 高温、frost 零下；节日名称；促销为 reduced"}
  - {name: category, type: string, doc: "Category of the product", zh: "商品类目"}
  - {name: orders_with, type: long, doc: "Orders with the category on such days, where they are delivered to", zh: "该情形下含该类目的订单数（按收货地）"}
  - {name: orders_without, type: long, doc: "Orders with it on other days of the same months", zh: "同月其他日子含该类目的订单数"}
  - {name: others_with, type: long, doc: "Orders with each other category on such days", zh: "该情形下含其他类目的订单数（每类计一次）"}
  - {name: others_without, type: long, doc: "Orders with each other category on other days", zh: "同月其他日子含其他类目的订单数（每类计一次）"}
  - {name: lift, type: double, doc: "How much more of it is sold on such days, as a part: 0.3 is 30 % more; null where nothing can be compared", zh: "提升比例：0.3 即多 30%；无法比较时为空"}
  - {name: low, type: double, doc: "Lower end of the interval", zh: "区间下限"}
  - {name: high, type: double, doc: "Upper end of the interval", zh: "区间上限"}
audits:
  - {name: "the interval holds the lift", condition: "low <= lift AND lift <= high"}
*/
-- The odds ratio of Mantel and Haenszel (1959) over strata of place and month, so that neither a rainy city nor a season passes
-- for the occasion; its interval by Robins, Breslow and Greenland (1986). The other goods are the measure: what keeps people
-- from all shops alike is not seen. With many rows one in twenty leaves out zero by chance. A holiday is one of the order's
-- region or country; days of two holidays count for each. A category is promoted in a week in which half of its goods, of five
-- at least, were sold below their list price; weeks of fewer are left out: so no list of promotions is needed.
WITH city_days AS (
    SELECT p.city, w.day, bool_or(w.precipitation_mm > 0) AS rain, bool_or(w.temperature_max_c >= 30) AS heat,
        bool_or(w.temperature_min_c < 0) AS frost
    FROM core.weather AS w
    JOIN core.places AS p ON p.place_id = w.place_id AND p.kind = 'area' AND p.valid_to IS NULL
    WHERE p.city IS NOT NULL
    GROUP BY p.city, w.day
),
city_regions AS (
    SELECT city, min(region_code) AS region_code, min(country_code) AS country
    FROM core.places
    WHERE valid_to IS NULL AND city IS NOT NULL
    GROUP BY city
    HAVING count(DISTINCT region_code) <= 1 AND count(DISTINCT country_code) <= 1
),
sold AS (
    SELECT DISTINCT l.source, l.order_id, l.category, o.city, coalesce(o.region_code, r.region_code) AS region_code,
        coalesce(o.country, r.country) AS country, l.day
    FROM core.sales_ledger AS l
    JOIN core.orders AS o ON o.source = l.source AND o.order_id = l.order_id
    LEFT JOIN city_regions AS r ON r.city = o.city
    WHERE l.is_order AND l.category IS NOT NULL AND l.day <= getvariable('as_of')
),
daily AS (
    SELECT coalesce(city, region_code, country, '') AS place, city, region_code, country, day,
        CAST(date_trunc('month', day) AS DATE) AS month, category, count(*) AS orders
    FROM sold
    GROUP BY ALL
),
weather_days AS (
    SELECT city, day, 'rain' AS occasion, rain AS is_so FROM city_days
    UNION ALL
    SELECT city, day, 'heat', heat FROM city_days
    UNION ALL
    SELECT city, day, 'frost', frost FROM city_days
),
holidays AS (
    SELECT DISTINCT kind, coalesce(name, kind) AS occasion, region_code, day, CAST(date_trunc('month', day) AS DATE) AS month
    FROM core.calendar
    WHERE kind IN ('holiday', 'school_holiday', 'sale')
),
holiday_months AS (SELECT DISTINCT kind, occasion, region_code, month FROM holidays),
of_all_goods AS (
    SELECT 'weather' AS kind, w.occasion, d.place, d.month, d.category, d.orders, w.is_so
    FROM daily AS d
    JOIN weather_days AS w ON w.city = d.city AND w.day = d.day
    WHERE w.is_so IS NOT NULL
    UNION ALL
    SELECT m.kind, m.occasion, d.place, d.month, d.category, d.orders, h.day IS NOT NULL
    FROM daily AS d
    JOIN holiday_months AS m ON m.month = d.month AND m.region_code = d.country
    LEFT JOIN holidays AS h ON h.kind = m.kind AND h.occasion = m.occasion AND h.region_code = m.region_code AND h.day = d.day
    UNION ALL
    SELECT m.kind, m.occasion, d.place, d.month, d.category, d.orders, h.day IS NOT NULL
    FROM daily AS d
    JOIN holiday_months AS m ON m.month = d.month AND m.region_code = d.region_code
    LEFT JOIN holidays AS h ON h.kind = m.kind AND h.occasion = m.occasion AND h.region_code = m.region_code AND h.day = d.day
),
of_one_category AS (
    SELECT kind, occasion, place, month, category, coalesce(sum(orders) FILTER (is_so), 0) AS a,
        coalesce(sum(orders) FILTER (NOT is_so), 0) AS c
    FROM of_all_goods
    GROUP BY kind, occasion, place, month, category
),
promoted_weeks AS (
    SELECT category, CAST(date_trunc('week', ordered_on) AS DATE) AS week, 2 * count(*) FILTER (is_reduced) >= count(*) AS is_so
    FROM core.order_products
    WHERE category IS NOT NULL AND is_reduced IS NOT NULL
    GROUP BY category, week
    HAVING count(*) >= 5
),
days_of_all AS (SELECT place, month, day, sum(orders) AS orders FROM daily GROUP BY place, month, day),
promoted_days AS (
    SELECT p.category, t.place, t.month, p.is_so, sum(t.orders) AS all_orders, sum(coalesce(d.orders, 0)) AS orders
    FROM days_of_all AS t
    JOIN promoted_weeks AS p ON p.week = CAST(date_trunc('week', t.day) AS DATE)
    LEFT JOIN daily AS d ON d.place = t.place AND d.day = t.day AND d.category = p.category
    GROUP BY p.category, t.place, t.month, p.is_so
),
tables AS (
    SELECT kind, occasion, place, month, category, a, sum(a) OVER of_stratum - a AS b, c, sum(c) OVER of_stratum - c AS d
    FROM of_one_category
    WINDOW of_stratum AS (PARTITION BY kind, occasion, place, month)
    UNION ALL
    SELECT 'promotion', 'reduced', place, month, category, coalesce(sum(orders) FILTER (is_so), 0),
        coalesce(sum(all_orders - orders) FILTER (is_so), 0), coalesce(sum(orders) FILTER (NOT is_so), 0),
        coalesce(sum(all_orders - orders) FILTER (NOT is_so), 0)
    FROM promoted_days
    GROUP BY category, place, month
),
-- in one order, for sums of fractions hang on it
summed AS (
    SELECT kind, occasion, category, sum(a) AS a, sum(b) AS b, sum(c) AS c, sum(d) AS d,
        nullif(sum(a * d / n ORDER BY place, month), 0) AS r, nullif(sum(b * c / n ORDER BY place, month), 0) AS s,
        sum((a + d) / n * a * d / n ORDER BY place, month) AS pr, sum((b + c) / n * b * c / n ORDER BY place, month) AS qs,
        sum((a + d) / n * b * c / n + (b + c) / n * a * d / n ORDER BY place, month) AS ps_qr
    FROM (SELECT *, nullif(a + b + c + d, 0) AS n FROM tables)
    GROUP BY kind, occasion, category
),
estimated AS (
    SELECT *, r / s AS ratio, sqrt(pr / (2 * r * r) + ps_qr / (2 * r * s) + qs / (2 * s * s)) AS deviation FROM summed
)
SELECT kind, occasion, category, a AS orders_with, c AS orders_without, b AS others_with, d AS others_without,
    ratio - 1 AS lift, ratio * exp(-1.96 * deviation) - 1 AS low, ratio * exp(1.96 * deviation) - 1 AS high
FROM estimated
