/*
doc: "What comes back: units sold in a month that were returned since, by product, region and reason, and how soon."
zh: "退货：当月售出商品之后的退货量，按商品、省份与原因，以及退回所需天数。"
grain: "one row a month of sale, product, region and reason; the row of reason `any` has all that was sold and came back"
key: [month, product_source, product_id, region_code, reason]
sort: [month, product_id]
columns:
  - {name: month, type: date, doc: "First day of the month of the sale, in the zone of the business", zh: "销售月份的第一天（业务时区）"}
  - {name: product_source, type: string, doc: "Source whose catalogue has the product; empty where the order names none", zh: "商品目录的来源；订单未写商品时为空文本"}
  - {name: product_id, type: string, doc: "Product; empty where the order names none", zh: "商品编号；订单未写时为空文本"}
  - {name: product, type: string, doc: "Its name as the catalogue has it now", zh: "商品名称（现目录）"}
  - {name: category, type: string, doc: "Its category as the catalogue has it now; null for a product never seen there", zh: "类目（现目录）；目录中没有时为空"}
  - {name: region_code, type: string, doc: "ISO 3166-2; `unknown` where nothing says so", zh: "省份代码；未知时为 unknown"}
  - {name: reason, type: string, doc: "Why, as the shop has it; `unknown` where it says nothing; `any`: all reasons, and all that was sold", zh: "原因（店铺原文）；未写时为 unknown；any 为全部原因与全部销售"}
  - {name: is_over, type: boolean, doc: "The month is over, and 30 days more: few returns are still to come", zh: "该月已结束且又过 30 天：退货基本到齐"}
  - {name: units_sold, type: "decimal(38,3)", doc: "Units sold; null of a single reason", zh: "售出数量；单个原因的行为空"}
  - {name: lines_sold, type: long, doc: "Lines of orders; null of a single reason", zh: "售出的订单行数；单个原因的行为空"}
  - {name: units_returned, type: "decimal(38,3)", doc: "Of these units that came back, no more of a line than it had", zh: "其中退回的数量；每行不超过售出量"}
  - {name: lines_returned, type: long, doc: "Lines of which something came back", zh: "有退货的订单行数"}
  - {name: return_rate, type: double, doc: "Units that came back over units sold; null of a single reason, and where no units are known", zh: "退货率：退回数量除以售出数量；单个原因及数量未知时为空"}
  - {name: median_days, type: double, doc: "Median days from the order to the return of its line", zh: "从下单到退货的天数中位数"}
  - {name: within_day, type: long, doc: "Lines that came back on the day of the order or the day after", zh: "当日或次日退回的订单行数"}
audits:
  - {name: "no more comes back than was sold", condition: "units_returned <= units_sold AND lines_returned <= lines_sold"}
  - {name: "a rate is a share", condition: "return_rate BETWEEN 0 AND 1"}
*/
-- Goods, not money: what was given back for them is in core.refunds and in refunds of the sales marts; a return without a refund,
-- as of an exchange, is one, and a refund without goods is none. A return that is asked for, refused, cancelled or a test is none.
-- One of a whole order is of each of its lines, one of a product of the first line that has it. A return that says no number is
-- of all that its line has; returns of one line add up to that at most. Returns of an order that counts nowhere are left out.
-- A return of before its order is of its day. A rate of several rows is made of their units, of reason `any`, once.
WITH sold AS (
    SELECT source, order_id, line_id, coalesce(product_source, '') AS product_source, coalesce(product_id, '') AS product_id,
        product, category, coalesce(region_code, 'unknown') AS region_code, day, coalesce(quantity, 1) AS quantity
    FROM core.sales_ledger
    WHERE is_order AND day <= getvariable('as_of') AND coalesce(quantity, 1) > 0
),
kept AS (
    SELECT *, CAST(returned_at AT TIME ZONE getvariable('time_zone') AS DATE) AS returned_on
    FROM core.returns
    WHERE NOT coalesce(counts_as IN ('pending', 'cancelled', 'refund asked', 'test')
        OR counts_as = 'unknown' AND returned_at IS NULL, false)
),
of_lines AS (
    SELECT s.*, r.return_id, greatest(r.returned_on, s.day) AS returned_on,
        coalesce(nullif(trim(r.reason), ''), 'unknown') AS reason, coalesce(abs(r.quantity), s.quantity) AS back
    FROM kept AS r
    JOIN sold AS s ON s.source = r.source AND s.order_id = r.order_id
        AND (s.line_id = r.line_id OR r.line_id IS NULL AND (r.product_id IS NULL OR s.product_id = r.product_id))
    WHERE coalesce(r.returned_on <= getvariable('as_of'), true)
    QUALIFY r.line_id IS NOT NULL OR r.product_id IS NULL
        OR row_number() OVER (PARTITION BY r.source, r.return_id ORDER BY s.line_id) = 1
),
capped AS (
    SELECT *, greatest(least(back, quantity - coalesce(sum(back) OVER earlier, 0)), 0) AS units
    FROM of_lines
    WINDOW earlier AS (
        PARTITION BY source, order_id, line_id ORDER BY returned_on NULLS LAST, return_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
sold_units AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, product_source, product_id, region_code, min(product) AS product,
        min(category) AS category, sum(quantity) AS units_sold, count(*) AS lines_sold
    FROM sold
    GROUP BY CAST(date_trunc('month', day) AS DATE), product_source, product_id, region_code
),
back AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, product_source, product_id, region_code, unnest(['any', reason]) AS reason,
        product, category, concat_ws(' ', source, order_id, line_id) AS line, units, date_diff('day', day, returned_on) AS days
    FROM capped
    WHERE units > 0
),
back_units AS (
    SELECT month, product_source, product_id, region_code, reason, min(product) AS product, min(category) AS category,
        sum(units) AS units_returned, count(DISTINCT line) AS lines_returned, median(days) AS median_days,
        count(DISTINCT line) FILTER (days <= 1) AS within_day
    FROM back
    GROUP BY month, product_source, product_id, region_code, reason
),
counted AS (
    SELECT s.month, s.product_source, s.product_id, s.product, s.category, s.region_code, 'any' AS reason, s.units_sold, s.lines_sold,
        b.units_returned, b.lines_returned, b.median_days, b.within_day
    FROM sold_units AS s
    LEFT JOIN back_units AS b ON b.month = s.month AND b.product_source = s.product_source AND b.product_id = s.product_id
        AND b.region_code = s.region_code AND b.reason = 'any'
    UNION ALL
    SELECT month, product_source, product_id, product, category, region_code, reason, NULL, NULL,
        units_returned, lines_returned, median_days, within_day
    FROM back_units
    WHERE reason <> 'any'
)
SELECT month, product_source, product_id, product, category, region_code, reason,
    last_day(month) + 30 <= getvariable('as_of') AS is_over, units_sold, lines_sold, coalesce(units_returned, 0) AS units_returned,
    coalesce(lines_returned, 0) AS lines_returned, coalesce(units_returned, 0) / nullif(units_sold, 0) AS return_rate,
    median_days, coalesce(within_day, 0) AS within_day
FROM counted
