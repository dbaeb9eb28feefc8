/*
doc: "From a visit to an order: how many get how far, each day and in all, and how long it takes them."
zh: "转化漏斗：从到访到下单，每天及合计各有多少走到哪一步，用时多久。"
grain: "one row a day or total, and step"
key: [period, step]
sort: [period, step]
columns:
  - {name: period, type: string, doc: "Day on which sessions began, as 2026-03-01; `sessions`, `visitors`: all of the last 365 days", zh: "会话开始的日期；sessions、visitors 为近 365 天合计"}
  - {name: day, type: date, doc: "The same day in the zone of the business; null of totals", zh: "日期（业务时区）；合计为空"}
  - {name: step, type: int, doc: "1 to 5", zh: "第几步，1 到 5"}
  - {name: name, type: string, doc: "visit, product_viewed, product_added, checkout_started, order_completed", zh: "步骤：到访、浏览商品、加入购物车、开始结算、完成订单"}
  - {name: visits, type: long, doc: "Sessions that began; of `visitors` the customers, or devices of nobody", zh: "开始的会话数；visitors 为客户（或未识别设备）数"}
  - {name: reached, type: long, doc: "Those that did this step or a later one", zh: "做到这一步或更后一步的数量"}
  - {name: did, type: long, doc: "Those that did this step itself", zh: "做了这一步本身的数量"}
  - {name: share_of_visits, type: double, doc: "Reached over visits, 0 to 1", zh: "到达数占到访数的比例"}
  - {name: share_of_step_before, type: double, doc: "Reached over those who reached the step before; null where nobody did", zh: "到达数占上一步到达数的比例；上一步无人时为空"}
  - {name: median_seconds, type: double, doc: "Median time from the beginning of the visit, or the first visit, to this step, of those that did it", zh: "从（首次）到访到这一步的中位秒数，限做了这一步的"}
audits:
  - {name: "nobody gets further than before", condition: "reached <= visits AND did <= reached AND share_of_step_before <= 1"}
*/
-- Sessions by day and in all, since each is one way through the shop; visitors in all, since people look on Monday and buy on
-- Thursday, on another device. Who did a later step passed those before it, whether these were tracked or not: sites that
-- tell of no cart, or sell from the mail, would seem to sell nothing. `did` counts only what was tracked. The steps of a visitor
-- are the first of the last 365 days. Sessions of the future are left out. There is no `product_viewed` below zero seconds: a
-- step is never before its session.
WITH visits AS (
    SELECT strftime(started_on, '%Y-%m-%d') AS period, started_on AS day, session_id AS visitor, started_at, viewed_at,
        added_at, checkout_at, ordered_at
    FROM marts.sessions
    WHERE started_on <= getvariable('as_of')
),
recent AS (FROM marts.sessions WHERE started_on BETWEEN getvariable('as_of') - 364 AND getvariable('as_of')),
counted AS (
    FROM visits
    UNION ALL
    SELECT 'sessions', NULL, session_id, started_at, viewed_at, added_at, checkout_at, ordered_at FROM recent
    UNION ALL
    SELECT 'visitors', NULL, coalesce('customer ' || customer_id, 'device ' || anonymous_id, 'user ' || user_id),
        min(started_at), min(viewed_at), min(added_at), min(checkout_at), min(ordered_at)
    FROM recent
    GROUP BY ALL
),
furthest AS (
    SELECT *, CASE WHEN ordered_at IS NOT NULL THEN 5 WHEN checkout_at IS NOT NULL THEN 4 WHEN added_at IS NOT NULL THEN 3
        WHEN viewed_at IS NOT NULL THEN 2 ELSE 1 END AS furthest
    FROM counted
),
totals AS (
    SELECT period, day, count(*) AS visits,
        count(*) FILTER (furthest >= 2) AS reached_2, count(*) FILTER (furthest >= 3) AS reached_3,
        count(*) FILTER (furthest >= 4) AS reached_4, count(ordered_at) AS reached_5,
        count(viewed_at) AS viewed, count(added_at) AS added, count(checkout_at) AS checkouts,
        median((epoch_us(viewed_at) - epoch_us(started_at)) / 1e6) AS to_view,
        median((epoch_us(added_at) - epoch_us(started_at)) / 1e6) AS to_add,
        median((epoch_us(checkout_at) - epoch_us(started_at)) / 1e6) AS to_checkout,
        median((epoch_us(ordered_at) - epoch_us(started_at)) / 1e6) AS to_order
    FROM furthest
    GROUP BY period, day
),
steps AS (
    SELECT period, day, visits, 1 AS step, 'visit' AS name, visits AS before, visits AS reached, visits AS did,
        0 AS median_seconds
    FROM totals
    UNION ALL
    SELECT period, day, visits, 2, 'product_viewed', visits, reached_2, viewed, to_view FROM totals
    UNION ALL
    SELECT period, day, visits, 3, 'product_added', reached_2, reached_3, added, to_add FROM totals
    UNION ALL
    SELECT period, day, visits, 4, 'checkout_started', reached_3, reached_4, checkouts, to_checkout FROM totals
    UNION ALL
    SELECT period, day, visits, 5, 'order_completed', reached_4, reached_5, reached_5, to_order FROM totals
)
SELECT period, day, step, name, visits, reached, did, reached / visits AS share_of_visits,
    reached / nullif(before, 0) AS share_of_step_before, median_seconds
FROM steps
