/*
doc: "What sold where to whom, month by month, with growth against the month before and the same month a year ago."
zh: "按商品、省份、年龄段与月份的销售，含环比与同比增长。"
grain: "one row a month, product, region and age group that sold or gave back in it, in the month before or a year ago"
key: [month, product_source, product_id, region_code, age_group]
sort: [month, product_id]
columns:
  - {name: month, type: date, doc: "First day of the month, in the zone of the business", zh: "月份的第一天（业务时区）"}
  - {name: product_source, type: string, doc: "Source whose catalogue has the product; empty where the order names none", zh: "商品目录的来源；订单未写商品时为空文本"}
  - {name: product_id, type: string, doc: "Product; empty where the order names none", zh: "商品编号；订单未写时为空文本"}
  - {name: product, type: string, doc: "Its name as the catalogue has it now", zh: "商品名称（现目录）"}
  - {name: category, type: string, doc: "Its category as the catalogue has it now; null for a product never seen there", zh: "类目（现目录）；目录中没有时为空"}
  - {name: region_code, type: string, doc: "ISO 3166-2 of the province or state; `unknown` where nothing says so", zh: "省份代码；未知时为 unknown"}
  - {name: age_group, type: string, doc: "Age of the customer on that day: under 18, 18-24, 25-34, 35-44, 45-54, 55-64, 65+ or unknown", zh: "客户当日年龄段；未知时为 unknown"}
  - {name: is_complete, type: boolean, doc: "The month is over", zh: "该月已结束"}
  - {name: orders, type: long, doc: "Orders with the product, of which something is left; an order of two products counts in both", zh: "含该商品且尚有剩余的订单数；含两种商品的订单各计一次"}
  - {name: buyers, type: long, doc: "Distinct customers of these orders", zh: "这些订单的客户数"}
  - {name: units, type: "decimal(18,3)", doc: "Units sold", zh: "售出数量"}
  - {name: gross, type: "decimal(18,2)", doc: "Before discounts and refunds, in the home currency", zh: "优惠与退还之前的金额（本位币）"}
  - {name: discounts, type: "decimal(18,2)", doc: "Taken off before it was paid", zh: "优惠"}
  - {name: refunds, type: "decimal(18,2)", doc: "Given back in the month, of whatever month's orders", zh: "当月退还，不论订单是哪个月的"}
  - {name: net, type: "decimal(18,2)", doc: "Gross less discounts less refunds", zh: "净额：总额减优惠减退还"}
  - {name: net_month_before, type: "decimal(18,2)", doc: "Net of the month before; null where the lake has no sales that old", zh: "上月净额；数据不及时为空"}
  - {name: net_year_before, type: "decimal(18,2)", doc: "Net of the same month a year ago; null where the lake has no sales that old", zh: "去年同月净额；数据不及时为空"}
  - {name: growth_month, type: double, doc: "Net over that of the month before, less 1; null unless the month is over and that was above zero", zh: "环比增长率；月份未结束或上月不大于零时为空"}
  - {name: growth_year, type: double, doc: "Net over that of a year ago, less 1; null unless the month is over and that was above zero", zh: "同比增长率；月份未结束或去年同月不大于零时为空"}
incremental:
  by: "concat(product_source, ' ', product_id)"
  of:
    core.sales_ledger: "concat(product_source, ' ', product_id)"
    core.contacts: {core.sales_ledger: customer_id}
audits:
  - {name: "net is gross less discounts less refunds", condition: "net = gross - discounts - refunds"}
  - {name: "who buys orders", condition: "buyers <= orders"}
*/
-- Months are compared by the calendar, never by the row before. What sold then and does not now has its row, with zeros: so
-- the growth of a category or region is sum(net) / sum(net_year_before) - 1 over its rows. A month in which the lake has no
-- sales yet is unknown, not zero. Facts behind `as_of` are left out.
WITH births AS (
    SELECT customer_id, arg_max(birth_date, (valid_from, source, contact_id)) AS birth_date
    FROM core.contacts
    WHERE valid_to IS NULL AND customer_id IS NOT NULL AND birth_date IS NOT NULL
    GROUP BY customer_id
),
aged AS (
    SELECT l.*, date_sub('year', b.birth_date, l.day) AS age
    FROM core.sales_ledger AS l
    LEFT JOIN births AS b ON b.customer_id = l.customer_id
    WHERE l.day <= getvariable('as_of')
),
cells AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, coalesce(product_source, '') AS product_source,
        coalesce(product_id, '') AS product_id, coalesce(region_code, 'unknown') AS region_code,
        CASE
            WHEN age BETWEEN 0 AND 17 THEN 'under 18'
            WHEN age BETWEEN 18 AND 24 THEN '18-24'
            WHEN age BETWEEN 25 AND 34 THEN '25-34'
            WHEN age BETWEEN 35 AND 44 THEN '35-44'
            WHEN age BETWEEN 45 AND 54 THEN '45-54'
            WHEN age BETWEEN 55 AND 64 THEN '55-64'
            WHEN age BETWEEN 65 AND 110 THEN '65+'
            ELSE 'unknown'
        END AS age_group,
        count(DISTINCT (source, order_id)) FILTER (counts) AS orders, count(DISTINCT customer_id) FILTER (counts) AS buyers,
        coalesce(sum(quantity), 0) AS units, coalesce(sum(gross), 0) AS gross, coalesce(sum(discounts), 0) AS discounts,
        coalesce(sum(refunds), 0) AS refunds
    FROM (SELECT *, is_order AND coalesce(taken_back_on > getvariable('as_of'), true) AS counts FROM aged)
    GROUP BY ALL
),
places_in_time AS (
    SELECT DISTINCT CAST(month + to_months(step) AS DATE) AS month, product_source, product_id, region_code, age_group
    FROM cells
    CROSS JOIN (SELECT unnest([0, 1, 12]) AS step)
    WHERE CAST(month + to_months(step) AS DATE) <= getvariable('as_of')
),
names AS (
    SELECT product_source, product_id, min(product) AS product, min(category) AS category
    FROM core.sales_ledger
    GROUP BY product_source, product_id
),
compared AS (
    SELECT p.*, coalesce(c.orders, 0) AS orders, coalesce(c.buyers, 0) AS buyers, coalesce(c.units, 0) AS units,
        coalesce(c.gross, 0) AS gross, coalesce(c.discounts, 0) AS discounts, coalesce(c.refunds, 0) AS refunds,
        coalesce(c.gross - c.discounts - c.refunds, 0) AS net,
        CASE WHEN p.month - INTERVAL 1 MONTH >= f.first_month THEN coalesce(m.gross - m.discounts - m.refunds, 0) END
            AS net_month_before,
        CASE WHEN p.month - INTERVAL 1 YEAR >= f.first_month THEN coalesce(y.gross - y.discounts - y.refunds, 0) END
            AS net_year_before,
        last_day(p.month) <= getvariable('as_of') AS is_complete
    FROM places_in_time AS p
    CROSS JOIN (SELECT CAST(date_trunc('month', day) AS DATE) AS first_month FROM core.first_sale) AS f
    LEFT JOIN cells AS c USING (month, product_source, product_id, region_code, age_group)
    LEFT JOIN cells AS m ON m.month = p.month - INTERVAL 1 MONTH AND m.product_source = p.product_source
        AND m.product_id = p.product_id AND m.region_code = p.region_code AND m.age_group = p.age_group
    LEFT JOIN cells AS y ON y.month = p.month - INTERVAL 1 YEAR AND y.product_source = p.product_source
        AND y.product_id = p.product_id AND y.region_code = p.region_code AND y.age_group = p.age_group
)
SELECT c.month, c.product_source, c.product_id, n.product, n.category, c.region_code, c.age_group, c.is_complete, c.orders,
    c.buyers, c.units, c.gross, c.discounts, c.refunds, c.net, c.net_month_before, c.net_year_before,
    CASE WHEN c.is_complete AND c.net_month_before > 0 THEN c.net / c.net_month_before - 1 END AS growth_month,
    CASE WHEN c.is_complete AND c.net_year_before > 0 THEN c.net / c.net_year_before - 1 END AS growth_year
FROM compared AS c
LEFT JOIN names AS n
    ON coalesce(n.product_source, '') = c.product_source AND coalesce(n.product_id, '') = c.product_id
