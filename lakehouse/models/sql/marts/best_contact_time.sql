/*
doc: "At which hour, on which weekday and by which channel to reach each customer, and how much of that is the customer's own."
zh: "每位客户在几点、星期几、用哪个渠道最容易联系到，以及结论有多少来自本人。"
grain: "one row a customer who did something in the last 365 days"
key: [customer_id]
sort: [customer_id]
columns:
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: best_hour, type: int, doc: "Hour of the day in the zone of the business, 0 to 23", zh: "最佳小时（业务时区），0 到 23"}
  - {name: best_weekday, type: int, doc: "Day of the week there, 1 is Monday", zh: "最佳星期几，1 为周一"}
  - {name: hour_share, type: double, doc: "Share of the customer's hours that this one is expected to be, 0 to 1", zh: "预计该小时在其活跃小时中的占比"}
  - {name: time_evidence, type: long, doc: "Hours on distinct days in which the customer did something", zh: "依据：客户有活动的（天、小时）数"}
  - {name: time_sure, type: double, doc: "How much is the customer's own, 0 to 1: evidence / (evidence + 10); the rest is what all do", zh: "本人依据的权重：依据数 / (依据数 + 10)，其余取自全体"}
  - {name: best_channel, type: string, doc: "Channel that the customer answers most by; of all, where this one answered by none; null where nobody did", zh: "最常回应的渠道；本人没有时取全体；都没有时为空"}
  - {name: channel_share, type: double, doc: "Share of the customer's answers expected by it, 0 to 1", zh: "预计该渠道在其回应中的占比"}
  - {name: channel_evidence, type: long, doc: "Answers by any channel", zh: "依据：各渠道回应数"}
  - {name: channel_sure, type: double, doc: "How much is the customer's own: evidence / (evidence + 3)", zh: "本人依据的权重：依据数 / (依据数 + 3)"}
incremental:
  by: customer_id
  of:
    marts.hour_of_week_activity: customer_id
    core.responses: customer_id
audits:
  - {name: "shares are shares", condition: "hour_share BETWEEN 0 AND 1 AND channel_share BETWEEN 0 AND 1"}
  - {name: "nobody is quite sure", condition: "time_sure < 1 AND channel_sure < 1"}
*/
-- What a customer did is mixed with what all do, by credibility (Bühlmann 1967): of n observations the customer's own share
-- weighs n / (n + k), what all do (`core.contact_shares`) k / (n + k). One click at three in the night so makes no night owl. k is 10 of hours, of which
-- there are 24, and 3 of channels. Hours are taken by day: see `marts.hour_of_week_activity`. Channels are those of answers
-- (`core.responses`); whether it is allowed to use them, `core.consent_answers` says. Ties: the hour, weekday or channel that
-- all prefer, then the first.
WITH hours AS (
    SELECT customer_id, hour, sum(days) AS days FROM marts.hour_of_week_activity GROUP BY customer_id, hour
),
of_all_hours AS (SELECT CAST(name AS INTEGER) AS hour, share FROM core.contact_shares WHERE kind = 'hour'),
customers AS (
    SELECT customer_id, sum(days) AS evidence FROM hours WHERE customer_id <> '' GROUP BY customer_id
),
likely_hours AS (
    SELECT customer_id, hour, share, (days + 10 * share) / (evidence + 10) AS expected
    FROM (FROM hours WHERE customer_id <> '')
    JOIN of_all_hours USING (hour)
    JOIN customers USING (customer_id)
    UNION ALL
    SELECT customer_id, hour, share, 10 * share / (evidence + 10)
    FROM customers
    CROSS JOIN (FROM of_all_hours ORDER BY share DESC, hour LIMIT 1)
),
best_hours AS (
    FROM likely_hours
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY expected DESC, share DESC, hour) = 1
),
weekdays AS (
    SELECT customer_id, weekday, sum(days) AS days FROM marts.hour_of_week_activity GROUP BY customer_id, weekday
),
of_all_weekdays AS (SELECT CAST(name AS INTEGER) AS weekday, share FROM core.contact_shares WHERE kind = 'weekday'),
likely_weekdays AS (
    SELECT customer_id, weekday, share, (days + 10 * share) / (evidence + 10) AS expected
    FROM (FROM weekdays WHERE customer_id <> '')
    JOIN of_all_weekdays USING (weekday)
    JOIN customers USING (customer_id)
    UNION ALL
    SELECT customer_id, weekday, share, 10 * share / (evidence + 10)
    FROM customers
    CROSS JOIN (FROM of_all_weekdays ORDER BY share DESC, weekday LIMIT 1)
),
best_weekdays AS (
    FROM likely_weekdays
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY expected DESC, share DESC, weekday) = 1
),
channels AS (
    SELECT customer_id, channel, count(*) AS responses
    FROM core.responses
    WHERE channel IS NOT NULL AND responded_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')
    GROUP BY customer_id, channel
),
of_all_channels AS (SELECT name AS channel, share FROM core.contact_shares WHERE kind = 'channel'),
responding AS (SELECT customer_id, sum(responses) AS answers FROM channels GROUP BY customer_id),
likely_channels AS (
    SELECT customer_id, channel, share, (responses + 3 * share) / (answers + 3) AS expected
    FROM channels
    JOIN of_all_channels USING (channel)
    JOIN responding USING (customer_id)
    UNION ALL
    SELECT customer_id, channel, share, 3 * share / (coalesce(answers, 0) + 3)
    FROM customers
    LEFT JOIN responding USING (customer_id)
    CROSS JOIN (FROM of_all_channels ORDER BY share DESC, channel LIMIT 1)
),
best_channels AS (
    FROM likely_channels
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY expected DESC, share DESC, channel) = 1
)
SELECT c.customer_id, h.hour AS best_hour, w.weekday AS best_weekday, h.expected AS hour_share, c.evidence AS time_evidence,
    c.evidence / (c.evidence + 10) AS time_sure, b.channel AS best_channel, b.expected AS channel_share,
    coalesce(r.answers, 0) AS channel_evidence, coalesce(r.answers / (r.answers + 3), 0) AS channel_sure
FROM customers AS c
JOIN best_hours AS h USING (customer_id)
JOIN best_weekdays AS w USING (customer_id)
LEFT JOIN best_channels AS b USING (customer_id)
LEFT JOIN responding AS r USING (customer_id)
