/*
doc: "Which visits led to each order, and how much of it each is credited with, by four rules; sums are those of the orders."
zh: "每张订单由哪些访问促成、各记多少功劳（四种归因规则）；合计与订单一致。"
grain: "one row a sale or refund of an order, and visit that led to it; without one a row of no visit"
key: [source, order_id, entry, visit]
sort: [day, order_id]
columns:
  - {name: source, type: string, doc: "Shop", zh: "店铺"}
  - {name: order_id, type: string, doc: "Order number in its source", zh: "订单编号"}
  - {name: entry, type: string, doc: "`sale`, or kind and id of the refund, as in `core.refunds`", zh: "sale，或退还的类别与编号"}
  - {name: visit, type: int, doc: "Place of the visit among those that led to the order, from 1; 0 where no visit is known", zh: "促成订单的第几次访问，从 1 起；没有已知访问时为 0"}
  - {name: visits, type: int, doc: "How many led to it", zh: "促成该订单的访问数"}
  - {name: day, type: date, doc: "Day of the sale or of the refund in the zone of the business", zh: "销售日或退还日（业务时区）"}
  - {name: visited_on, type: date, doc: "Day of the visit; null without one", zh: "访问日；没有时为空"}
  - {name: channel, type: string, doc: "What brought the visit, as in `marts.sessions`; `none` without a visit", zh: "来源渠道，同 marts.sessions；没有访问时为 none"}
  - {name: campaign_source, type: string, doc: "utm_source of the visit", zh: "访问的 utm_source"}
  - {name: campaign_name, type: string, doc: "utm_campaign of the visit", zh: "访问的 utm_campaign"}
  - {name: is_order, type: boolean, doc: "A sale: shares of it are parts of an order; false of refunds", zh: "为销售；退还为 false"}
  - {name: taken_back_on, type: date, doc: "Day from which nothing is left of the order; null as long as something is", zh: "从哪天起订单已无剩余；尚有剩余时为空"}
  - {name: first_share, type: double, doc: "Part of the order that the visit is credited with, where the first takes all", zh: "首次访问得全部时的份额"}
  - {name: last_share, type: double, doc: "The same, where the last takes all", zh: "末次访问得全部时的份额"}
  - {name: position_share, type: double, doc: "The same, where first and last take 40 % each, and those between share the rest", zh: "首末各 40%、其余均分时的份额"}
  - {name: data_share, type: double, doc: "The same, in proportion to what would be lost without the visit's channel", zh: "按去掉该渠道会损失多少（马尔可夫移除效应）分配的份额"}
  - {name: first_value, type: "decimal(18,2)", doc: "Sale, or refund below zero, that it is credited with by `first_share`, in the home currency; null without a rate", zh: "按 first_share 分得的销售额（退还为负，本位币）；无汇率时为空"}
  - {name: last_value, type: "decimal(18,2)", doc: "The same by `last_share`", zh: "按 last_share 分得的金额"}
  - {name: position_value, type: "decimal(18,2)", doc: "The same by `position_share`", zh: "按 position_share 分得的金额"}
  - {name: data_value, type: "decimal(18,2)", doc: "The same by `data_share`", zh: "按 data_share 分得的金额"}
audits:
  - {name: "shares are shares", condition: "first_share BETWEEN 0 AND 1 AND last_share BETWEEN 0 AND 1 AND position_share BETWEEN 0 AND 1 AND data_share BETWEEN 0 AND 1"}
  - {name: "a visit comes before the order", condition: "visited_on <= day"}
*/
-- Visits are sessions. To an order led those of its customer that began after the order before it, within 30 days, the last 20
-- of them; an order before which none came has those of the order before: two orders of one visit are credited to it both. An
-- order that names a day alone comes at its end. A visit without a source (`direct`) counts only where all are so: who types
-- the address in knew it from elsewhere.
-- `data_share` goes by the removal effect of Anderl et al. (2016): visits make a chain of channels that ends in an order or in
-- none, and a channel is worth what the chance of an order loses where all its visits lead nowhere. Visits that led to no order
-- within 30 days are such ends; those of the last 30 days may yet lead to one, and are left out. Where no channel of an order
-- makes a difference its visits share alike. A part of money is the difference of two running sums, so that parts come to it.
-- Weights are decimals, so that it does not matter in which order they are added up.
WITH RECURSIVE visits AS (
    SELECT session_id, customer_id, coalesce(customer_id, 'device ' || anonymous_id, 'user ' || user_id) AS visitor, started_at,
        started_on, campaign_source, campaign_name, channel
    FROM marts.sessions
),
numbered AS (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY started_at, session_id) AS n
    FROM visits
    WHERE customer_id IS NOT NULL
),
orders AS (
    SELECT source, order_id, customer_id, ordered_on, taken_back_on,
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
        t.campaign_name
    FROM reached AS r
    JOIN led AS t ON t.customer_id = r.customer_id AND t.last_n = r.last_n
        AND t.started_at > r.until - INTERVAL 30 DAY
),
sourced AS (
    SELECT *
    FROM before_orders
    QUALIFY channel <> 'direct' OR NOT bool_or(channel <> 'direct') OVER (PARTITION BY source, order_id)
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY source, order_id ORDER BY n) AS visit, count(*) OVER (PARTITION BY source, order_id) AS visits
    FROM sourced
),
-- the chain of channels: visits that led to an order, and runs of visits that led to none
lost AS (
    SELECT v.*, CASE WHEN epoch_us(v.started_at) - epoch_us(lag(v.started_at) OVER by_visitor) <= 2_592_000_000_000 THEN 0 ELSE 1 END
        AS begins
    FROM visits AS v
    WHERE NOT EXISTS (SELECT 1 FROM before_orders AS l WHERE l.session_id = v.session_id)
        AND v.started_on <= getvariable('as_of') - 30
    WINDOW by_visitor AS (PARTITION BY v.visitor ORDER BY v.started_at, v.session_id)
),
lost_runs AS (
    SELECT *, sum(begins) OVER (PARTITION BY visitor ORDER BY started_at, session_id ROWS UNBOUNDED PRECEDING) AS run FROM lost
),
lost_sourced AS (
    SELECT concat(visitor, ' ', run) AS path, started_at, session_id, channel
    FROM lost_runs
    QUALIFY channel <> 'direct' OR NOT bool_or(channel <> 'direct') OVER (PARTITION BY visitor, run)
),
steps AS (
    SELECT coalesce(lag(channel) OVER of_order, 'begin') AS origin, channel AS target, visit = visits AS is_end, 'order' AS ending
    FROM placed
    WHERE ordered_on <= getvariable('as_of')
    WINDOW of_order AS (PARTITION BY source, order_id ORDER BY visit)
    UNION ALL
    SELECT coalesce(lag(channel) OVER of_path, 'begin'), channel, lead(channel) OVER of_path IS NULL, 'nothing'
    FROM lost_sourced
    WINDOW of_path AS (PARTITION BY path ORDER BY started_at, session_id)
),
counted AS (
    SELECT origin, target, count(*) AS paths FROM steps GROUP BY origin, target
    UNION ALL
    SELECT target, ending, count(*) FROM steps WHERE is_end GROUP BY target, ending
),
transitions AS (SELECT origin, target, paths / sum(paths) OVER (PARTITION BY origin) AS share FROM counted),
chances AS (
    SELECT '' AS removed, 'order' AS state, 0 AS step, 1.0::DOUBLE AS chance
    UNION ALL
    SELECT DISTINCT target, 'order', 0, 1.0::DOUBLE FROM transitions WHERE target NOT IN ('order', 'nothing')
    UNION ALL
    SELECT removed, state, step, sum(chance)
    FROM (
        SELECT c.removed, t.origin AS state, c.step + 1 AS step, t.share * c.chance AS chance
        FROM chances AS c
        JOIN transitions AS t ON t.target = c.state AND t.target <> c.removed
        UNION ALL
        SELECT removed, state, step + 1, chance FROM chances WHERE state = 'order'
    )
    WHERE step <= 60
    GROUP BY removed, state, step
),
begun AS (SELECT removed, chance FROM chances WHERE state = 'begin' AND step = 60),
effects AS (
    SELECT w.removed AS channel, CAST(greatest(1 - coalesce(b.chance, 0) / a.chance, 0) AS DECIMAL(18, 9)) AS effect
    FROM (SELECT DISTINCT removed FROM chances WHERE removed <> '') AS w
    JOIN begun AS a ON a.removed = ''
    LEFT JOIN begun AS b ON b.removed = w.removed
),
weighed AS (
    SELECT p.*, (visit = 1)::INT AS first_weight, (visit = visits)::INT AS last_weight,
        CAST(CASE WHEN visits <= 2 THEN 1 WHEN visit IN (1, visits) THEN 0.4 ELSE 0.2 / (visits - 2) END AS DECIMAL(18, 12))
            AS position_weight,
        CASE WHEN sum(coalesce(e.effect, 0)) OVER (PARTITION BY p.source, p.order_id) > 0 THEN coalesce(e.effect, 0) ELSE 1 END
            AS data_weight
    FROM placed AS p
    LEFT JOIN effects AS e ON e.channel = p.channel
),
shared AS (
    SELECT *, first_weight AS first_share, last_weight AS last_share,
        position_weight / sum(position_weight) OVER of_all AS position_share,
        data_weight / sum(data_weight) OVER of_all AS data_share,
        sum(position_weight) OVER so_far / sum(position_weight) OVER of_all AS position_upto,
        sum(data_weight) OVER so_far / sum(data_weight) OVER of_all AS data_upto
    FROM weighed
    WINDOW of_all AS (PARTITION BY source, order_id),
        so_far AS (PARTITION BY source, order_id ORDER BY visit ROWS UNBOUNDED PRECEDING)
),
entries AS (
    SELECT source, order_id, 'sale' AS entry, ordered_on AS day, gross - discounts AS amount, true AS is_order, taken_back_on
    FROM core.order_values
    WHERE is_order
    UNION ALL
    SELECT r.source, v.order_id, concat(r.kind, ' ', r.refund_id), r.refunded_on, -r.value, false, v.taken_back_on
    FROM core.refunds AS r
    JOIN core.order_values AS v ON v.source = r.source AND v.order_id = coalesce(r.order_id, r.refund_id)
    WHERE r.value <> 0
),
credited AS (
    SELECT e.*, coalesce(s.visit, 0) AS visit, coalesce(s.visits, 0) AS visits, s.started_on AS visited_on,
        coalesce(s.channel, 'none') AS channel, s.campaign_source, s.campaign_name,
        coalesce(s.first_share, 1) AS first_share, coalesce(s.last_share, 1) AS last_share,
        coalesce(s.position_share, 1) AS position_share, coalesce(s.data_share, 1) AS data_share,
        CASE WHEN s.visit < s.visits THEN CAST(e.amount * s.position_upto AS DECIMAL(18, 2)) ELSE e.amount END AS position_sum,
        CASE WHEN s.visit < s.visits THEN CAST(e.amount * s.data_upto AS DECIMAL(18, 2)) ELSE e.amount END AS data_sum
    FROM entries AS e
    LEFT JOIN shared AS s ON s.source = e.source AND s.order_id = e.order_id
)
SELECT source, order_id, entry, visit, visits, day, visited_on, channel, campaign_source, campaign_name, is_order, taken_back_on,
    first_share, last_share, position_share, data_share,
    CASE WHEN first_share = 1 THEN amount ELSE 0 * amount END AS first_value,
    CASE WHEN last_share = 1 THEN amount ELSE 0 * amount END AS last_value,
    position_sum - coalesce(lag(position_sum) OVER of_entry, 0) AS position_value,
    data_sum - coalesce(lag(data_sum) OVER of_entry, 0) AS data_value
FROM credited
WHERE day IS NOT NULL
WINDOW of_entry AS (PARTITION BY source, order_id, entry ORDER BY visit)
