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
incremental:
  by: "concat(source, ' ', order_id)"
  of:
    core.order_visits: "concat(source, ' ', order_id)"
    core.order_values: "concat(source, ' ', order_id)"
    core.refunds: "concat(source, ' ', coalesce(order_id, refund_id))"
audits:
  - {name: "shares are shares", condition: "first_share BETWEEN 0 AND 1 AND last_share BETWEEN 0 AND 1 AND position_share BETWEEN 0 AND 1 AND data_share BETWEEN 0 AND 1"}
  - {name: "a visit comes before the order", condition: "visited_on <= day"}
*/
-- Which visits count is said by core.order_visits. `data_share` goes by what each channel is worth (core.channel_effects); where
-- no channel of an order makes a difference its visits share alike. A part of money is the difference of two running sums, so
-- that parts come to it. Weights are decimals, so that it does not matter in which order they are added up.
WITH weighed AS (
    SELECT p.*, (visit = 1)::INT AS first_weight, (visit = visits)::INT AS last_weight,
        CAST(CASE WHEN visits <= 2 THEN 1 WHEN visit IN (1, visits) THEN 0.4 ELSE 0.2 / (visits - 2) END AS DECIMAL(18, 12))
            AS position_weight,
        CASE WHEN sum(coalesce(e.effect, 0)) OVER (PARTITION BY p.source, p.order_id) > 0 THEN coalesce(e.effect, 0) ELSE 1 END
            AS data_weight
    FROM core.order_visits AS p
    LEFT JOIN core.channel_effects AS e ON e.channel = p.channel
    WHERE p.visit IS NOT NULL
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
    SELECT e.*, coalesce(s.visit, 0) AS visit, coalesce(s.visits, 0) AS visits, s.visited_on,
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
