/*
doc: "What advertising cost and what its visits brought, by campaign and month in which it was paid for."
zh: "按投放月份统计各广告计划的花费与其访问带来的收入。"
only_on: duckdb
grain: "one row a month, platform and campaign with spend or a credited visit"
key: [month, platform, campaign_id]
sort: [month, platform, campaign_id]
columns:
  - {name: month, type: date, doc: "First day of the month of the spend, and of the visits", zh: "花费与访问所在月份的第一天"}
  - {name: platform, type: string, doc: "Source of the spend; empty of visits whose campaign no platform names", zh: "广告平台；访问的计划在各平台均无时为空文本"}
  - {name: campaign_id, type: string, doc: "Campaign; there the utm_campaign of the visits", zh: "广告计划编号；平台均无时为访问的 utm_campaign"}
  - {name: campaign_name, type: string, doc: "Its newest name", zh: "计划名称（最新）"}
  - {name: is_complete, type: boolean, doc: "The month and the 30 days in which its visits may still lead to an order are over", zh: "该月及其后 30 天归因期均已结束"}
  - {name: spend, type: "decimal(18,2)", doc: "Cost in the home currency, at the rates of its days; null where no day of it has a rate or a plausible cost", zh: "花费（本位币，按当日汇率）；均无汇率时为空"}
  - {name: unrated_days, type: long, doc: "Days whose cost is in a currency without a rate, or is 10^12 and more, a slip: they are in no sum", zh: "无汇率或金额不可信（10^12 及以上）、未计入花费的天数"}
  - {name: impressions, type: long, doc: "Times shown", zh: "展示数"}
  - {name: clicks, type: long, doc: "Times clicked, as the platform counts", zh: "点击数（平台口径）"}
  - {name: claimed, type: double, doc: "Conversions that the platform claims; several platforms claim one order", zh: "平台自称的转化数；同一订单可能被多个平台计入"}
  - {name: orders_last, type: double, doc: "Orders of which something is left, credited to the last visit", zh: "末次归因的订单数"}
  - {name: orders_data, type: double, doc: "The same by what would be lost without the channel", zh: "数据驱动归因的订单数"}
  - {name: net_first, type: "decimal(18,2)", doc: "Sales less refunds of orders credited to the first visit, in the home currency", zh: "首次归因的净收入（本位币）"}
  - {name: net_last, type: "decimal(18,2)", doc: "Credited to the last visit", zh: "末次归因的净收入"}
  - {name: net_position, type: "decimal(18,2)", doc: "Credited by position", zh: "位置归因的净收入"}
  - {name: net_data, type: "decimal(18,2)", doc: "Credited by what would be lost without the channel", zh: "数据驱动归因的净收入"}
  - {name: return_first, type: double, doc: "Net over spend; of several rows take the sums, never the mean; null without spend", zh: "投入产出比（首次归因）：净收入除以花费；多行合并须先求和；无花费时为空"}
  - {name: return_last, type: double, doc: "The same of the last visit", zh: "投入产出比（末次归因）"}
  - {name: return_position, type: double, doc: "The same by position", zh: "投入产出比（位置归因）"}
  - {name: return_data, type: double, doc: "The same by what would be lost", zh: "投入产出比（数据驱动）"}
audits:
  - {name: "a return has a spend", condition: "return_last IS NULL OR spend > 0"}
*/
-- Orders and refunds count for the month of the visit that they are credited to, whenever they came: so what was spent is held
-- against what it brought. A visit is of the campaign whose id, else whose name, is its utm_campaign (case aside); of one name
-- on several platforms, of that which utm_source names. A name that two campaigns share is of neither, and stands by itself.
-- Where a platform reports a campaign's day as a whole, its advertisements are parts of that.
WITH reported AS (
    SELECT *, bool_or(ad_id = '') OVER (PARTITION BY source, day, campaign_id) AS has_whole
    FROM (SELECT * REPLACE (coalesce(ad_id, '') AS ad_id) FROM core.ad_spend)
),
costs AS (
    SELECT a.source, a.day, a.campaign_id, a.campaign_name, a.impressions, a.clicks, a.conversions, a.spend,
        CASE WHEN a.currency IS NULL OR h.currency IS NULL OR a.currency = h.currency THEN 1 ELSE r.rate END AS home_rate,
        CASE WHEN abs(a.spend * home_rate) < 1e12 THEN CAST(a.spend * home_rate AS DECIMAL(18, 2)) END AS cost
    FROM reported AS a
    LEFT JOIN core.home_currency AS h ON true
    ASOF LEFT JOIN core.home_rates AS r ON r.currency = a.currency AND r.day <= a.day
    WHERE (a.ad_id = '' OR NOT a.has_whole) AND a.campaign_id IS NOT NULL
),
campaigns AS (SELECT source, campaign_id, arg_max(campaign_name, (day, campaign_name)) AS campaign_name FROM costs GROUP BY source, campaign_id),
words AS (
    SELECT source, campaign_id, lower(trim(campaign_id)) AS word, 0 AS is_name FROM campaigns
    UNION ALL
    SELECT DISTINCT source, campaign_id, lower(trim(campaign_name)), 1 FROM costs WHERE campaign_name IS NOT NULL
),
named AS (
    SELECT DISTINCT campaign_name, campaign_source FROM core.order_credits WHERE campaign_name IS NOT NULL
),
found AS (
    SELECT n.campaign_name, n.campaign_source, w.source, w.campaign_id
    FROM named AS n
    JOIN words AS w ON w.word = lower(trim(n.campaign_name))
    QUALIFY rank() OVER (
        PARTITION BY n.campaign_name, n.campaign_source
        ORDER BY (w.source = lower(trim(n.campaign_source))) DESC NULLS LAST, w.is_name) = 1
),
matched AS (
    SELECT campaign_name, campaign_source, min(source) AS source, min(campaign_id) AS campaign_id
    FROM found
    GROUP BY campaign_name, campaign_source
    HAVING count(DISTINCT (source, campaign_id)) = 1
),
either AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, source AS platform, campaign_id,
        cost AS spend, CASE WHEN spend <> 0 AND cost IS NULL THEN 1 ELSE 0 END AS unrated,
        impressions, clicks, conversions, 0 AS orders_last, 0 AS orders_data, 0 AS net_first, 0 AS net_last, 0 AS net_position,
        0 AS net_data
    FROM costs
    WHERE day <= getvariable('as_of')
    UNION ALL
    SELECT CAST(date_trunc('month', c.visited_on) AS DATE), coalesce(m.source, ''), coalesce(m.campaign_id, lower(trim(c.campaign_name))),
        NULL, 0, NULL, NULL, NULL, CASE WHEN counts THEN c.last_share ELSE 0 END, CASE WHEN counts THEN c.data_share ELSE 0 END,
        c.first_value, c.last_value, c.position_value, c.data_value
    FROM (SELECT *, is_order AND coalesce(taken_back_on > getvariable('as_of'), true) AS counts FROM core.order_credits) AS c
    LEFT JOIN matched AS m
        ON m.campaign_name = c.campaign_name AND m.campaign_source IS NOT DISTINCT FROM c.campaign_source
    WHERE c.campaign_name IS NOT NULL AND c.day <= getvariable('as_of')
),
summed AS (
    SELECT month, platform, campaign_id, sum(spend) AS spend, sum(unrated) AS unrated_days, sum(impressions) AS impressions,
        sum(clicks) AS clicks, CAST(sum(CAST(conversions AS DECIMAL(28, 6))) AS DOUBLE) AS claimed,
        sum(orders_last) AS orders_last, CAST(sum(CAST(orders_data AS DECIMAL(28, 12))) AS DOUBLE) AS orders_data,
        coalesce(sum(net_first), 0) AS net_first, coalesce(sum(net_last), 0) AS net_last,
        coalesce(sum(net_position), 0) AS net_position, coalesce(sum(net_data), 0) AS net_data
    FROM either
    GROUP BY month, platform, campaign_id
)
SELECT s.month, s.platform, s.campaign_id, c.campaign_name, last_day(s.month) + 30 <= getvariable('as_of') AS is_complete, s.spend,
    s.unrated_days, s.impressions, s.clicks, s.claimed, s.orders_last, s.orders_data, s.net_first, s.net_last, s.net_position,
    s.net_data, s.net_first / CASE WHEN s.spend > 0 THEN s.spend END AS return_first, s.net_last / CASE WHEN s.spend > 0 THEN s.spend END AS return_last,
    s.net_position / CASE WHEN s.spend > 0 THEN s.spend END AS return_position, s.net_data / CASE WHEN s.spend > 0 THEN s.spend END AS return_data
FROM summed AS s
LEFT JOIN campaigns AS c ON c.source = s.platform AND c.campaign_id = s.campaign_id
