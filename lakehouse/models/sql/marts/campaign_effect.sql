/*
doc: "Did a campaign work: what its members bought in its days, against those who were left alone, with intervals of 95 %."
zh: "营销活动是否有效：活动成员在活动期内的购买情况与对照组相比，含 95% 区间。"
grain: "one row a campaign with members whom a customer is known of"
key: [source, campaign_id]
sort: [source, campaign_id]
columns:
  - {name: source, type: string, doc: "CRM or platform", zh: "来源系统"}
  - {name: campaign_id, type: string, doc: "Campaign", zh: "活动编号"}
  - {name: name, type: string, doc: "Its name, as it is now", zh: "活动名称（当前）"}
  - {name: channel, type: string, doc: "Where it runs", zh: "渠道"}
  - {name: first_on, type: date, doc: "First day that counts of anybody", zh: "最早计入的日期"}
  - {name: days, type: int, doc: "Days that count of each member, from the day of joining: as long as the campaign, up to 90; 14 where it has no end", zh: "每位成员自加入之日起计入的天数：活动时长（最多 90 天），无结束日期时为 14 天"}
  - {name: is_over, type: boolean, doc: "All of these days are over; else the figures still move", zh: "计入期是否均已结束；未结束时数字仍会变化"}
  - {name: treated, type: long, doc: "Customers in it", zh: "活动组客户数"}
  - {name: control, type: long, doc: "Customers who were left alone", zh: "对照组客户数"}
  - {name: in_both, type: long, doc: "Customers who are in both, by two records: in neither figure", zh: "同时属于两组的客户数（不计入任一组）"}
  - {name: responded, type: long, doc: "Of the treated, who answered: as the CRM says, or opened or clicked a message in these days", zh: "活动组中有响应的客户数（CRM 标记，或期内打开、点击过消息）"}
  - {name: treated_buyers, type: long, doc: "Of the treated, who ordered in these days", zh: "活动组中期内下单的客户数"}
  - {name: control_buyers, type: long, doc: "Of the control group, who ordered in these days", zh: "对照组中期内下单的客户数"}
  - {name: treated_orders, type: long, doc: "Orders of the treated", zh: "活动组订单数"}
  - {name: control_orders, type: long, doc: "Orders of the control group", zh: "对照组订单数"}
  - {name: treated_value, type: "decimal(18,2)", doc: "Net value of these orders, in the home currency", zh: "活动组订单净额（本位币）"}
  - {name: control_value, type: "decimal(18,2)", doc: "Net value of these orders, in the home currency", zh: "对照组订单净额（本位币）"}
  - {name: uplift, type: double, doc: "Share of buyers among the treated less that of the control group; null without a control group", zh: "活动组购买率减对照组购买率；无对照组时为空"}
  - {name: uplift_low, type: double, doc: "Lower end of its interval", zh: "区间下限"}
  - {name: uplift_high, type: double, doc: "Upper end of its interval", zh: "区间上限"}
  - {name: order_lift, type: double, doc: "More orders a customer, as a part of the control group's: 0.3 is 30 % more; null where either has none", zh: "人均订单相对对照组的提升：0.3 即多 30%；任一组没有订单时为空"}
  - {name: order_lift_low, type: double, doc: "Lower end of its interval", zh: "区间下限"}
  - {name: order_lift_high, type: double, doc: "Upper end of its interval", zh: "区间上限"}
  - {name: extra_buyers, type: double, doc: "Buyers whom the campaign brought: the uplift times the treated", zh: "活动带来的购买客户数：购买率差 × 活动组人数"}
  - {name: visible_from, type: double, doc: "The smallest uplift that groups of these sizes show in four cases of five", zh: "该规模的两组在八成情况下能够检出的最小购买率差"}
  - {name: verdict, type: string, doc: "works, harms, not seen (the interval holds zero), no control group, or too early", zh: "结论：works 有效、harms 有害、not seen 未见差异、no control group 无对照组、too early 尚早"}
audits:
  - {name: "the interval holds the uplift", condition: "uplift IS NULL OR uplift_low <= uplift AND uplift <= uplift_high"}
  - {name: "nobody buys twice in a share of buyers", condition: "treated_buyers <= treated AND control_buyers <= control"}
*/
-- Everybody who was meant counts, whether the message was read or not: who reads would have bought more anyway. So the days of a
-- member begin on the day of joining, and both groups must have been drawn by chance and joined alike; who has more than one
-- record of a campaign counts once, from the first. The difference of shares has the interval of Newcombe (1998, method 10,
-- Wilson's scores); the ratio of orders that of the delta method, with the variance of each group's counts, for some buy often.
WITH campaigns AS (
    SELECT source, campaign_id, name, channel, starts_on,
        CAST(CASE WHEN ends_on >= starts_on THEN least(ends_on - starts_on + 1, 90) ELSE 14 END AS INTEGER) AS days
    FROM core.campaigns
    WHERE valid_to IS NULL
),
joined AS (
    SELECT source, campaign_id, customer_id, CAST(joined_at AT TIME ZONE getvariable('time_zone') AS DATE) AS joined_on,
        coalesce(is_control, false) AS is_control, coalesce(responded, false) AS responded
    FROM core.campaign_members
    WHERE customer_id IS NOT NULL AND campaign_id IS NOT NULL
),
members AS (
    SELECT j.source, j.campaign_id, j.customer_id, coalesce(c.days, 14) AS days, min(coalesce(j.joined_on, c.starts_on)) AS since,
        bool_or(j.is_control) AS is_control, bool_and(j.is_control) AS is_control_only, bool_or(j.responded) AS responded
    FROM joined AS j
    LEFT JOIN campaigns AS c ON c.source = j.source AND c.campaign_id = j.campaign_id
    GROUP BY j.source, j.campaign_id, j.customer_id, c.days
),
drawn AS (
    SELECT *, CAST(since + days AS DATE) AS until, is_control AND NOT is_control_only AS is_in_both
    FROM members
    WHERE since <= getvariable('as_of')
),
answered AS (
    SELECT DISTINCT d.source, d.campaign_id, d.customer_id
    FROM drawn AS d
    JOIN core.responses AS r ON r.customer_id = d.customer_id AND r.responded_on >= d.since AND r.responded_on < d.until
    WHERE r.kind IN ('opened', 'clicked')
),
bought AS (
    SELECT d.source, d.campaign_id, d.customer_id, count(*) AS orders, sum(v.value) AS value
    FROM drawn AS d
    JOIN core.order_values AS v ON v.customer_id = d.customer_id AND v.ordered_on >= d.since AND v.ordered_on < d.until
    WHERE v.is_order AND v.ordered_on <= getvariable('as_of')
    GROUP BY d.source, d.campaign_id, d.customer_id
),
counted AS (
    SELECT d.source, d.campaign_id, min(d.since) AS first_on, any_value(d.days) AS days, max(d.until) AS last_until,
        count(*) FILTER (NOT d.is_control) AS nt, count(*) FILTER (d.is_control_only) AS nc,
        count(*) FILTER (d.is_in_both) AS in_both,
        count(*) FILTER (NOT d.is_control AND (d.responded OR a.customer_id IS NOT NULL)) AS responded,
        count(b.orders) FILTER (NOT d.is_control) AS bt, count(b.orders) FILTER (d.is_control_only) AS bc,
        coalesce(sum(b.orders) FILTER (NOT d.is_control), 0) AS ot, coalesce(sum(b.orders) FILTER (d.is_control_only), 0) AS oc,
        coalesce(sum(b.orders * b.orders) FILTER (NOT d.is_control), 0) AS st,
        coalesce(sum(b.orders * b.orders) FILTER (d.is_control_only), 0) AS sc,
        coalesce(sum(b.value) FILTER (NOT d.is_control), 0) AS vt,
        coalesce(sum(b.value) FILTER (d.is_control_only), 0) AS vc
    FROM drawn AS d
    LEFT JOIN answered AS a ON a.source = d.source AND a.campaign_id = d.campaign_id AND a.customer_id = d.customer_id
    LEFT JOIN bought AS b ON b.source = d.source AND b.campaign_id = d.campaign_id AND b.customer_id = d.customer_id
    GROUP BY d.source, d.campaign_id
),
rates AS (
    SELECT *, bt / nullif(nt, 0) AS pt, bc / nullif(nc, 0) AS pc, 1.96 AS z
    FROM counted
),
-- Wilson's interval of each share; least and greatest keep rounding from leaving it
scored AS (
    SELECT *,
        least((pt + z * z / (2 * nt) - z * sqrt(pt * (1 - pt) / nt + z * z / (4 * nt * nt))) / (1 + z * z / nt), pt) AS lt,
        greatest((pt + z * z / (2 * nt) + z * sqrt(pt * (1 - pt) / nt + z * z / (4 * nt * nt))) / (1 + z * z / nt), pt) AS ut,
        least((pc + z * z / (2 * nc) - z * sqrt(pc * (1 - pc) / nc + z * z / (4 * nc * nc))) / (1 + z * z / nc), pc) AS lc,
        greatest((pc + z * z / (2 * nc) + z * sqrt(pc * (1 - pc) / nc + z * z / (4 * nc * nc))) / (1 + z * z / nc), pc) AS uc,
        (bt + bc) / nullif(nt + nc, 0) AS p,
        (ot / nullif(nt, 0)) / nullif(oc / nullif(nc, 0), 0) AS ratio,
        sqrt(
            greatest(st / nt - ot / nt * ot / nt, 0) / nt / nullif(ot / nt * ot / nt, 0)
            + greatest(sc / nc - oc / nc * oc / nc, 0) / nc / nullif(oc / nc * oc / nc, 0)
        ) AS deviation
    FROM rates
    WHERE nt + nc + in_both > 0
),
measured AS (
    SELECT *, pt - pc AS uplift, pt - pc - sqrt((pt - lt) * (pt - lt) + (uc - pc) * (uc - pc)) AS low,
        pt - pc + sqrt((ut - pt) * (ut - pt) + (pc - lc) * (pc - lc)) AS high
    FROM scored
)
SELECT m.source, m.campaign_id, c.name, c.channel, m.first_on, m.days, m.last_until - 1 < getvariable('as_of') AS is_over,
    m.nt AS treated, m.nc AS control, m.in_both, m.responded, m.bt AS treated_buyers, m.bc AS control_buyers,
    m.ot AS treated_orders, m.oc AS control_orders, m.vt AS treated_value, m.vc AS control_value,
    m.uplift, m.low AS uplift_low, m.high AS uplift_high,
    CASE WHEN m.ot > 0 THEN m.ratio - 1 END AS order_lift,
    CASE WHEN m.ot > 0 THEN m.ratio * exp(-1.96 * m.deviation) - 1 END AS order_lift_low,
    CASE WHEN m.ot > 0 THEN m.ratio * exp(1.96 * m.deviation) - 1 END AS order_lift_high,
    m.uplift * m.nt AS extra_buyers,
    (1.96 + 0.8416) * sqrt(m.p * (1 - m.p) * (1 / nullif(m.nt, 0) + 1 / nullif(m.nc, 0))) AS visible_from,
    CASE
        WHEN m.nc = 0 OR m.nt = 0 THEN 'no control group'
        WHEN m.low > 0 THEN 'works'
        WHEN m.high < 0 THEN 'harms'
        WHEN m.last_until > getvariable('as_of') THEN 'too early'
        ELSE 'not seen'
    END AS verdict
FROM measured AS m
LEFT JOIN campaigns AS c ON c.source = m.source AND c.campaign_id = m.campaign_id
