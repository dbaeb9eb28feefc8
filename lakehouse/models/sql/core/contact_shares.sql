/*
doc: "How the hours, weekdays and answers of all customers are shared; `marts.best_contact_time` mixes it with the customer's own."
zh: "全体客户的小时、星期与回应渠道占比；marts.best_contact_time 用它与客户自己的占比混合。"
grain: "one row an hour of the day, a weekday and a channel in which there was something in the last 365 days"
key: [kind, name]
sort: [kind, name]
columns:
  - {name: kind, doc: "hour, weekday or channel", zh: "hour 小时、weekday 星期、channel 渠道"}
  - {name: name, doc: "Hour 0 to 23, weekday 1 to 7, or the channel of `core.responses`", zh: "小时 0–23、星期 1–7，或渠道"}
  - {name: share, type: double, doc: "Share of all of its kind, 0 to 1, to three digits", zh: "在同类中的占比，三位小数"}
audits:
  - {name: "shares are shares", condition: "share BETWEEN 0 AND 1"}
*/
-- To three digits: more would move with each visit, and with them what is said of every customer.
WITH days AS (FROM marts.hour_of_week_activity WHERE customer_id = ''),
counted AS (
    SELECT 'hour' AS kind, CAST(hour AS VARCHAR) AS name, sum(days) AS n FROM days GROUP BY hour
    UNION ALL
    SELECT 'weekday', CAST(weekday AS VARCHAR), sum(days) FROM days GROUP BY weekday
    UNION ALL
    SELECT 'channel', channel, count(*)
    FROM core.responses
    WHERE channel IS NOT NULL AND responded_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')
    GROUP BY channel
)
SELECT kind, name, round(n / sum(n) OVER (PARTITION BY kind), 3) AS share FROM counted
