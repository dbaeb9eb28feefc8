/*
doc: "How often each visitor went from one channel to the next on the way to an order, or to none: what `core.channel_effects` is made of."
zh: "每位访客在通往下单（或未下单）的路上各渠道之间的转移次数；core.channel_effects 由此得出。"
grain: "one row a visitor and step from a channel to the next"
key: [visitor, origin, target]
columns:
  - {name: visitor, pii: true, doc: "Customer, else device or user who is nobody's yet", zh: "客户，否则为尚未识别的设备或用户"}
  - {name: origin, doc: "Channel of the visit before; `begin` of the first", zh: "上一次访问的渠道；首次为 begin"}
  - {name: target, doc: "Channel of the visit; `order` or `nothing` behind the last", zh: "访问的渠道；最后一次之后为 order 或 nothing"}
  - {name: steps, type: long, doc: How often, zh: 次数}
incremental:
  by: visitor
  of:
    marts.sessions: "coalesce(customer_id, 'device ' || anonymous_id, 'user ' || user_id)"
    core.order_visits: customer_id
*/
-- Steps are those of visits that led to an order, and of runs of visits that led to none within 30 days. Visits of the last 30
-- days may yet lead to one, and are left out.
WITH visits AS (
    SELECT session_id, coalesce(customer_id, 'device ' || anonymous_id, 'user ' || user_id) AS visitor, started_at, started_on, channel
    FROM marts.sessions
),
lost AS (
    SELECT v.*, CASE WHEN epoch_us(v.started_at) - epoch_us(lag(v.started_at) OVER by_visitor) <= 2_592_000_000_000 THEN 0 ELSE 1 END
        AS begins
    FROM visits AS v
    WHERE NOT EXISTS (SELECT 1 FROM core.order_visits AS l WHERE l.session_id = v.session_id)
        AND v.started_on <= getvariable('as_of') - 30
    WINDOW by_visitor AS (PARTITION BY v.visitor ORDER BY v.started_at, v.session_id)
),
lost_runs AS (
    SELECT *, sum(begins) OVER (PARTITION BY visitor ORDER BY started_at, session_id ROWS UNBOUNDED PRECEDING) AS run FROM lost
),
lost_sourced AS (
    SELECT visitor, concat(visitor, ' ', run) AS path, started_at, session_id, channel
    FROM lost_runs
    QUALIFY channel <> 'direct' OR NOT bool_or(channel <> 'direct') OVER (PARTITION BY visitor, run)
),
steps AS (
    SELECT customer_id AS visitor, coalesce(lag(channel) OVER of_order, 'begin') AS origin, channel AS target, visit = visits AS is_end,
        'order' AS ending
    FROM core.order_visits
    WHERE visit IS NOT NULL AND ordered_on <= getvariable('as_of')
    WINDOW of_order AS (PARTITION BY source, order_id ORDER BY visit)
    UNION ALL
    SELECT visitor, coalesce(lag(channel) OVER of_path, 'begin'), channel, lead(channel) OVER of_path IS NULL, 'nothing'
    FROM lost_sourced
    WINDOW of_path AS (PARTITION BY path ORDER BY started_at, session_id)
),
all_steps AS (
    SELECT visitor, origin, target FROM steps
    UNION ALL
    SELECT visitor, target, ending FROM steps WHERE is_end
)
SELECT visitor, origin, target, count(*) AS steps FROM all_steps GROUP BY visitor, origin, target
