/*
doc: "Where each customer stands: new, growing, loyal, at risk, asleep, gone or back, and since when; by the customer's own rhythm."
zh: "客户生命周期：新客、成长、忠诚、有流失风险、沉睡、流失、回归及其起始日；按客户自己的购买节奏判断。"
grain: "one row a customer"
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: as_of, type: date, doc: "Day the row looks back from", zh: "回看的日期"}
  - {name: stage, type: string, doc: "prospect, new, growing, loyal, back, at_risk, asleep or gone", zh: "阶段：潜在、新客、成长、忠诚、回归、有风险、沉睡、流失"}
  - {name: since, type: date, doc: "First day of the stage, by the rhythm as it is known now; null of prospects", zh: "该阶段的第一天（按目前所知的节奏）；潜在客户为空"}
  - {name: purchase_days, type: long, doc: "Distinct days with an order of which something is left", zh: "有（尚有剩余的）订单的天数"}
  - {name: last_order_on, type: date, doc: "Last of them", zh: "其中最近一天"}
  - {name: silent_days, type: int, doc: "Days since then", zh: "距今天数"}
  - {name: usual_gap_days, type: double, doc: "Days between two purchases that are usual for the customer", zh: "该客户通常的购买间隔天数"}
audits:
  - {name: "no stage begins in the future", condition: "since <= as_of"}
  - {name: "who never bought is a prospect", condition: "(purchase_days = 0) = (stage = 'prospect')"}
*/
-- The usual gap is the mean of the customer's own gaps, with two gaps of what is usual among customers (the median of their
-- means; 90 days where nobody bought twice) mixed in: so one early second order makes nobody weekly. It is 7 days at least, 180
-- at most. Of somebody who buys at random at that rate, one gap in seven is longer than twice it, one in fifty than four times,
-- one in three thousand than eight times (an exponential distribution). So, by silence:
--   at_risk   longer than twice the usual gap
--   asleep    longer than four times
--   gone      longer than eight times
-- and of all others:
--   new       bought on one day
--   back      bought again after having been asleep, and not yet three times since
--   loyal     bought on five days or more
--   growing   bought on two to four days
-- `since` is the day of the purchase that made it so, or the day on which the silence became so long.
WITH days AS (
    SELECT DISTINCT customer_id, ordered_on AS day
    FROM core.order_values
    WHERE is_order AND coalesce(taken_back_on > getvariable('as_of'), true) AND ordered_on <= getvariable('as_of')
        AND customer_id IS NOT NULL
),
purchases AS (
    SELECT customer_id, day, row_number() OVER in_time AS n, day - lag(day) OVER in_time AS gap
    FROM days
    WINDOW in_time AS (PARTITION BY customer_id ORDER BY day)
),
buyers AS (
    SELECT customer_id, count(*) AS purchase_days, max(day) AS last_on, max(day) - min(day) AS span
    FROM days
    GROUP BY customer_id
),
usual AS (SELECT coalesce(median(span / (purchase_days - 1)), 90) AS gap FROM buyers WHERE purchase_days > 1),
rhythms AS (
    SELECT b.*, least(180, greatest(7, (b.span + 2 * u.gap) / (b.purchase_days + 1))) AS usual_gap
    FROM buyers AS b
    CROSS JOIN usual AS u
),
runs AS (
    SELECT p.customer_id, max(p.n) AS first_n, arg_max(p.gap, p.n) AS silence_before
    FROM purchases AS p
    JOIN rhythms AS r USING (customer_id)
    WHERE p.gap IS NULL OR p.gap > 2 * r.usual_gap
    GROUP BY p.customer_id
),
marks AS (
    SELECT p.customer_id, any_value(r.silence_before) AS silence_before, max(p.n) - any_value(r.first_n) + 1 AS in_run,
        max(p.day) FILTER (p.n = r.first_n) AS run_on, max(p.day) FILTER (p.n = r.first_n + 2) AS third_of_run_on,
        max(p.day) FILTER (p.n = 2) AS second_on, max(p.day) FILTER (p.n = 5) AS fifth_on
    FROM purchases AS p
    JOIN runs AS r USING (customer_id)
    GROUP BY p.customer_id
),
staged AS (
    SELECT r.*, m.*, getvariable('as_of') - r.last_on AS silent_days,
        coalesce(m.silence_before > 4 * r.usual_gap, false) AS was_asleep,
        CASE
            WHEN getvariable('as_of') - r.last_on > 8 * r.usual_gap THEN 'gone'
            WHEN getvariable('as_of') - r.last_on > 4 * r.usual_gap THEN 'asleep'
            WHEN getvariable('as_of') - r.last_on > 2 * r.usual_gap THEN 'at_risk'
            WHEN r.purchase_days = 1 THEN 'new'
            WHEN was_asleep AND m.in_run <= 2 THEN 'back'
            WHEN r.purchase_days >= 5 THEN 'loyal'
            ELSE 'growing'
        END AS stage
    FROM rhythms AS r
    JOIN (SELECT * RENAME (customer_id AS marked) FROM marks) AS m ON m.marked = r.customer_id
)
SELECT c.customer_id, getvariable('as_of') AS as_of, coalesce(s.stage, 'prospect') AS stage,
    CASE s.stage
        WHEN 'gone' THEN s.last_on + CAST(floor(8 * s.usual_gap) AS INTEGER) + 1
        WHEN 'asleep' THEN s.last_on + CAST(floor(4 * s.usual_gap) AS INTEGER) + 1
        WHEN 'at_risk' THEN s.last_on + CAST(floor(2 * s.usual_gap) AS INTEGER) + 1
        WHEN 'loyal' THEN greatest(s.fifth_on, s.run_on, CASE WHEN s.was_asleep THEN s.third_of_run_on END)
        WHEN 'growing' THEN greatest(s.second_on, s.run_on, CASE WHEN s.was_asleep THEN s.third_of_run_on END)
        ELSE s.run_on
    END AS since,
    coalesce(s.purchase_days, 0) AS purchase_days, s.last_on AS last_order_on, s.silent_days, s.usual_gap AS usual_gap_days
FROM core.customers AS c
LEFT JOIN staged AS s USING (customer_id)
