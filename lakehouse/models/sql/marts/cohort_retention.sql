/*
doc: "Of the customers who first bought, or first visited, in one week or month: how many did so again, week by week."
zh: "留存：同一周或月首次下单（或首次到访）的客户，之后各周、各月还有多少人再来。"
grain: "one row an activity, unit, cohort and period since"
key: [activity, unit, cohort_on, periods]
sort: [activity, unit, cohort_on, periods]
columns:
  - {name: activity, type: string, doc: "order or visit: what makes the cohort, and what counts as coming again", zh: "order 或 visit：以下单或到访划分群组并计算留存"}
  - {name: unit, type: string, doc: "week (from Monday) or month, in the zone of the business", zh: "week（周一起）或 month，按业务时区"}
  - {name: cohort_on, type: date, doc: "First day of the week or month in which they were there first", zh: "首次出现所在周或月的第一天"}
  - {name: periods, type: int, doc: "Weeks or months since; 0 is the one of the first time", zh: "之后第几周或月；0 为首次所在期"}
  - {name: customers, type: long, doc: "Customers of the cohort: the same in all its rows", zh: "群组人数：同组各行相同"}
  - {name: active, type: long, doc: "Those of them who were there in that period; null until it is over", zh: "该期内再次出现的人数；该期未结束时为空"}
  - {name: retention, type: double, doc: "Their share, 0 to 1; null until the period is over", zh: "所占比例 0 到 1；该期未结束时为空"}
audits:
  - {name: "nobody comes who is not of the cohort", condition: "active BETWEEN 0 AND customers"}
  - {name: "all were there in their first period", condition: "periods > 0 OR active = customers"}
*/
-- Retention by calendar periods, of customers (not of devices): period n counts who was there in it, not who was there until
-- it. The denominator is everybody of the cohort, in every column; a period in which nobody came is a row with 0. The period
-- that `as_of` lies in is not over. An order counts while something is left of it; a visit is a session. Two years of weeks and
-- five of months are kept of each cohort, so that a clock that says 1970 makes no endless row.
WITH days AS (
    SELECT 'order' AS activity, customer_id, ordered_on AS day
    FROM core.order_values
    WHERE is_order AND coalesce(taken_back_on > getvariable('as_of'), true) AND customer_id IS NOT NULL
    UNION ALL
    SELECT 'visit', customer_id, started_on FROM marts.sessions WHERE customer_id IS NOT NULL
),
periods AS (
    SELECT DISTINCT activity, 'week' AS unit, customer_id, CAST(date_trunc('week', day) AS DATE) AS period
    FROM days
    WHERE day <= getvariable('as_of')
    UNION ALL
    SELECT DISTINCT activity, 'month', customer_id, CAST(date_trunc('month', day) AS DATE)
    FROM days
    WHERE day <= getvariable('as_of')
),
firsts AS (
    SELECT activity, unit, customer_id, min(period) AS cohort_on FROM periods GROUP BY activity, unit, customer_id
),
counts AS (
    SELECT activity, unit, cohort_on, CASE unit WHEN 'week' THEN (period - cohort_on) // 7
        ELSE date_diff('month', cohort_on, period) END AS periods, count(*) AS active
    FROM periods
    JOIN firsts USING (activity, unit, customer_id)
    GROUP BY ALL
),
cohorts AS (SELECT activity, unit, cohort_on, active AS customers FROM counts WHERE periods = 0),
cells AS (
    SELECT *, unnest(range(CASE unit WHEN 'week' THEN least(104, (getvariable('as_of') - cohort_on) // 7)
        ELSE least(60, date_diff('month', cohort_on, getvariable('as_of'))) END + 1)) AS periods
    FROM cohorts
),
ended AS (
    SELECT *, CASE unit WHEN 'week' THEN date_add(cohort_on, CAST(7 * (periods + 1) AS INTEGER))
        ELSE CAST(date_add(cohort_on, to_months(CAST(periods + 1 AS INTEGER))) AS DATE) END <= getvariable('as_of') AS is_over
    FROM cells
)
SELECT e.activity, e.unit, e.cohort_on, e.periods, e.customers,
    CASE WHEN e.is_over THEN coalesce(c.active, 0) END AS active,
    CASE WHEN e.is_over THEN coalesce(c.active, 0) / e.customers END AS retention
FROM ended AS e
LEFT JOIN counts AS c USING (activity, unit, cohort_on, periods)
