/*
doc: "Which visits led to each order of a customer; `core.order_credits` says how much of it each is credited with."
zh: "每位客户的每张订单由哪些访问促成；各记多少功劳见 core.order_credits。"
only_on: duckdb
grain: one row an order and visit that led to it
key: [source, order_id, session_id]
sort: [ordered_on, order_id]
columns:
  - {name: source, doc: Shop, zh: 店铺}
  - {name: order_id, doc: Order number in its source, zh: 订单编号}
  - {name: session_id, doc: "The visit: `marts.sessions`", zh: "访问：marts.sessions"}
  - {name: customer_id, doc: Customer of both, zh: 客户}
  - {name: ordered_on, type: date, doc: Day of the order in the zone of the business, zh: 下单日（业务时区）}
  - {name: visited_on, type: date, doc: Day of the visit, zh: 访问日}
  - {name: channel, doc: "What brought the visit, as in `marts.sessions`", zh: "来源渠道，同 marts.sessions"}
  - {name: campaign_source, doc: utm_source of the visit, zh: 访问的 utm_source}
  - {name: campaign_name, doc: utm_campaign of the visit, zh: 访问的 utm_campaign}
  - {name: visit, type: int, doc: "Place among those that count, from 1; null of a direct visit beside others, which counts for nothing", zh: "计功访问中的次序，从 1 起；与其他来源并存的直接访问为空，不计功"}
  - {name: visits, type: int, doc: How many count, zh: 计功的访问数}
incremental:
  by: customer_id
  of:
    marts.sessions: customer_id
    core.order_values: customer_id
audits:
  - {name: "a visit comes before the order", condition: "visited_on <= ordered_on"}
*/
-- Visits are sessions. To an order led those of its customer that began after the order before it, within 30 days, the last 20
-- of them; an order before which none came has those of the order before: two orders of one visit are credited to it both. An
-- order that names a day alone comes at its end. A visit without a source (`direct`) counts only where all are so: who types
-- the address in knew it from elsewhere.
WITH numbered AS (
    SELECT session_id, customer_id, started_at, started_on, channel, campaign_source, campaign_name,
        row_number() OVER (PARTITION BY customer_id ORDER BY started_at, session_id) AS n
    FROM marts.sessions
    WHERE customer_id IS NOT NULL
),
orders AS (
    SELECT source, order_id, customer_id, ordered_on,
        CASE WHEN epoch_us(ordered_at AT TIME ZONE getvariable('time_zone')) % 86_400_000_000 = 0
            THEN ordered_at + INTERVAL 1439 MINUTE ELSE ordered_at END AS until
    FROM core.order_values
    WHERE is_order AND customer_id IS NOT NULL AND ordered_at IS NOT NULL
),
reached AS (
    SELECT o.*, t.n AS last_n
    FROM orders AS o
    ASOF JOIN (SELECT customer_id, started_at, max(n) AS n FROM numbered GROUP BY customer_id, started_at) AS t
        ON t.customer_id = o.customer_id AND o.until >= t.started_at
),
-- visits up to each last one before an order, so that each visit has one next of these
led AS (
    SELECT t.*, e.last_n
    FROM numbered AS t
    ASOF JOIN (SELECT DISTINCT customer_id, last_n FROM reached) AS e ON e.customer_id = t.customer_id AND t.n <= e.last_n
    WHERE t.n > e.last_n - 20
),
before_orders AS (
    SELECT r.source, r.order_id, r.ordered_on, r.customer_id, t.session_id, t.n, t.started_on, t.channel, t.campaign_source,
        t.campaign_name, bool_or(t.channel <> 'direct') OVER (PARTITION BY r.source, r.order_id) AS is_sourced
    FROM reached AS r
    JOIN led AS t ON t.customer_id = r.customer_id AND t.last_n = r.last_n
        AND t.started_at > r.until - INTERVAL 30 DAY
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY source, order_id, counts ORDER BY n) AS visit,
        count(*) FILTER (counts) OVER (PARTITION BY source, order_id) AS visits
    FROM (SELECT *, channel <> 'direct' OR NOT is_sourced AS counts FROM before_orders)
)
SELECT source, order_id, session_id, customer_id, ordered_on, started_on AS visited_on, channel, campaign_source, campaign_name,
    CASE WHEN counts THEN visit END AS visit, visits
FROM placed
