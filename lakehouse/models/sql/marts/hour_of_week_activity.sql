/*
doc: "In which hours of the week customers are there: sessions, orders and answers of the last 365 days."
zh: "客户在一周中哪些小时活跃：近 365 天的会话、订单与回应。"
grain: "one row a customer and hour of the week in which there was something, and one an hour for all customers together"
key: [customer_id, weekday, hour]
sort: [customer_id, weekday, hour]
columns:
  - {name: customer_id, type: string, doc: "Customer; empty of the row for all, those without a customer included", zh: "客户；空文本为全体（含未识别者）"}
  - {name: weekday, type: int, doc: "Day of the week in the zone of the business, 1 is Monday (ISO 8601)", zh: "星期几（业务时区），1 为周一"}
  - {name: hour, type: int, doc: "Hour of the day in the zone of the business, 0 to 23", zh: "小时（业务时区），0 到 23"}
  - {name: sessions, type: long, doc: "Sessions that began then", zh: "此时开始的会话数"}
  - {name: orders, type: long, doc: "Orders placed then, whatever was given back since", zh: "此时下的订单数，不论之后是否退还"}
  - {name: responses, type: long, doc: "Answers to the company then (`core.responses`), but for calls picked up and meetings", zh: "此时的回应数，不含接听与会面"}
  - {name: days, type: long, doc: "Distinct days with any of these in that hour; for all: days of customers, summed", zh: "该小时内有上述任一活动的天数；全体为各客户天数之和"}
  - {name: last_on, type: date, doc: "Last such day", zh: "最近一次的日期"}
incremental:
  by: "weekday * 24 + hour"
  of:
    marts.sessions: "isodow(started_at AT TIME ZONE getvariable('time_zone')) * 24 + hour(started_at AT TIME ZONE getvariable('time_zone'))"
    core.order_values: "isodow(ordered_at AT TIME ZONE getvariable('time_zone')) * 24 + hour(ordered_at AT TIME ZONE getvariable('time_zone'))"
    core.responses: "isodow(responded_at AT TIME ZONE getvariable('time_zone')) * 24 + hour(responded_at AT TIME ZONE getvariable('time_zone'))"
audits:
  - {name: "hours are those of a week", condition: "weekday BETWEEN 1 AND 7 AND hour BETWEEN 0 AND 23"}
  - {name: "a day needs something", condition: "days <= sessions + orders + responses"}
*/
-- Days count once however much was done in an hour of them: somebody's program that loads a page a second weighs no more than
-- a person. An order of midnight to the second, in UTC or in the zone of the business, names a day alone: it has no hour.
-- Calls that were picked up and meetings tell of the hours in which the company works, not of the customer's.
-- The hours of summer and winter are those on the clock.
WITH moments AS (
    SELECT customer_id, anonymous_id AS device, started_at AT TIME ZONE getvariable('time_zone') AS moment, 'session' AS kind
    FROM marts.sessions
    UNION ALL
    SELECT customer_id, NULL, ordered_at AT TIME ZONE getvariable('time_zone'), 'order'
    FROM core.order_values
    WHERE is_order AND epoch_us(ordered_at) % 86_400_000_000 <> 0
        AND epoch_us(ordered_at AT TIME ZONE getvariable('time_zone')) % 86_400_000_000 <> 0
    UNION ALL
    SELECT customer_id, NULL, responded_at AT TIME ZONE getvariable('time_zone'), 'response'
    FROM core.responses
    WHERE kind NOT IN ('picked up', 'met')
),
days AS (
    SELECT customer_id, CASE WHEN customer_id IS NULL THEN device END AS device, CAST(moment AS DATE) AS day,
        CAST(extract('hour' FROM moment) AS INTEGER) AS hour,
        count(*) FILTER (kind = 'session') AS sessions, count(*) FILTER (kind = 'order') AS orders,
        count(*) FILTER (kind = 'response') AS responses
    FROM moments
    WHERE CAST(moment AS DATE) BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')
    GROUP BY ALL
),
hours AS (
    SELECT customer_id, CAST(isodow(day) AS INTEGER) AS weekday, hour, sum(sessions) AS sessions, sum(orders) AS orders,
        sum(responses) AS responses, count(*) AS days, max(day) AS last_on
    FROM days
    GROUP BY ALL
)
SELECT customer_id, weekday, hour, sessions, orders, responses, days, last_on
FROM hours
WHERE customer_id IS NOT NULL
UNION ALL
SELECT '', weekday, hour, sum(sessions), sum(orders), sum(responses), sum(days), max(last_on)
FROM hours
GROUP BY weekday, hour
