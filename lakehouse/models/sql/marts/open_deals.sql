/*
doc: "Every open deal with its age, and its chance of being won by what became of deals like it."
zh: "每个未关闭的商机及其停留天数，以及按历史同类商机得出的赢单概率。"
grain: "one row an open deal"
key: [source, deal_id]
sort: [source, deal_id]
columns:
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: deal_id, type: string, doc: "Deal", zh: "商机编号"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: owner_id, type: string, doc: "User who works on it; empty where nobody does", zh: "负责人编号；无人负责时为空文本"}
  - {name: team, type: string, doc: "Team of that user", zh: "负责人所在团队"}
  - {name: pipeline, type: string, doc: "Pipeline or process; empty where the CRM has one", zh: "销售流程；仅有一个时为空文本"}
  - {name: stage, type: string, doc: "Stage as the CRM calls it; empty where it names none", zh: "商机阶段；未写时为空文本"}
  - {name: amount, type: "decimal(18,2)", doc: "Value in the home currency at the rate of `as_of`; null without amount or rate", zh: "金额（本位币，当日汇率）；无金额或汇率时为空"}
  - {name: probability, type: double, doc: "Chance of winning that the CRM states, 0 to 1", zh: "CRM 所写的赢单概率（0 到 1）"}
  - {name: created_on, type: date, doc: "Day of its creation in the zone of the business", zh: "创建日（业务时区）"}
  - {name: age_days, type: int, doc: "Days since then", zh: "创建至今的天数"}
  - {name: stage_days, type: int, doc: "Days in its stage; since creation where the CRM tells no history", zh: "在当前阶段的天数；无历史时自创建起"}
  - {name: overdue_days, type: int, doc: "Days since its expected close; null where that is to come or not known", zh: "超过预计成交日的天数；未到或未知时为空"}
  - {name: win_chance, type: double, doc: "Chance of winning by history: see `chance_from`; null where nothing tells", zh: "按历史得出的赢单概率；无依据时为空"}
  - {name: chance_from, type: string, doc: "stage and age, stage, CRM (all closed deals of its CRM), or stated (the CRM's own probability)", zh: "依据：stage and age、stage、CRM（该系统全部已关闭商机）或 stated（系统所写概率）"}
  - {name: chance_deals, type: long, doc: "Closed deals that the chance is taken from", zh: "依据的已关闭商机数"}
audits:
  - {name: "a chance is between 0 and 1", condition: "win_chance BETWEEN 0 AND 1"}
*/
-- Open is what was created by `as_of`, and is not closed by it. The chance is that of the closed deals that were in the same
-- stage for as long as this one has been; of the stage, where these are fewer than ten; of the CRM, where those are. It is
-- (won + 1) / (closed + 2), the mean of the posterior from an even prior (Laplace's rule of succession), so never 0 or 1.
WITH latest_rates AS (
    SELECT currency, arg_max(rate, day) AS rate FROM core.home_rates WHERE day <= getvariable('as_of') GROUP BY currency
),
deals AS (
    SELECT *, CAST(created_at AT TIME ZONE getvariable('time_zone') AS DATE) AS created_on,
        coalesce(is_closed, false) AND coalesce(close_date <= getvariable('as_of'), true) AS is_over
    FROM core.deals
    WHERE valid_to IS NULL
),
teams AS (SELECT source, user_id, any_value(team) AS team FROM core.users WHERE valid_to IS NULL GROUP BY source, user_id),
since AS (
    SELECT source, deal_id, arg_max(stage, entered_at) AS stage,
        max(CAST(entered_at AT TIME ZONE getvariable('time_zone') AS DATE)) AS entered_on
    FROM core.deal_stays
    GROUP BY source, deal_id
),
open AS (
    SELECT d.source, d.deal_id, d.customer_id, coalesce(d.owner_id, '') AS owner_id, t.team,
        coalesce(d.pipeline, '') AS pipeline, coalesce(d.stage, '') AS stage,
        CASE WHEN d.currency IS NULL OR d.currency = h.currency THEN d.amount
            ELSE TRY_CAST(d.amount * r.rate AS DECIMAL(18, 2)) END AS amount,
        CASE WHEN d.probability BETWEEN 0 AND 1 THEN d.probability END AS probability,
        d.created_on, date_diff('day', d.created_on, getvariable('as_of')) AS age_days,
        date_diff('day', coalesce(s.entered_on, d.created_on), getvariable('as_of')) AS stage_days,
        CASE WHEN d.close_date < getvariable('as_of') THEN date_diff('day', d.close_date, getvariable('as_of')) END
            AS overdue_days
    FROM deals AS d
    LEFT JOIN core.home_currency AS h ON true
    LEFT JOIN latest_rates AS r ON r.currency = d.currency
    LEFT JOIN teams AS t ON t.source = d.source AND t.user_id = d.owner_id
    LEFT JOIN since AS s ON s.source = d.source AND s.deal_id = d.deal_id AND s.stage = d.stage
    WHERE NOT d.is_over AND d.created_on <= getvariable('as_of')
),
-- of each past deal its longest stay in each stage
past AS (
    SELECT source, pipeline, stage, deal_id, became = 'won' AS won, max(epoch(left_at - entered_at)) / 86400 AS days
    FROM core.deal_stays
    WHERE became IS NOT NULL AND left_at IS NOT NULL
    GROUP BY ALL
),
by_age AS (
    SELECT o.source, o.deal_id, count(*) AS closed, count(*) FILTER (p.won) AS won
    FROM open AS o
    JOIN past AS p ON p.source = o.source AND p.pipeline = o.pipeline AND p.stage = o.stage AND p.days >= o.stage_days
    GROUP BY o.source, o.deal_id
),
by_stage AS (
    SELECT source, pipeline, stage, count(*) AS closed, count(*) FILTER (won) AS won FROM past GROUP BY ALL
),
by_source AS (
    SELECT source, count(*) AS closed, count(*) FILTER (is_won) AS won FROM deals WHERE is_over GROUP BY source
),
judged AS (
    SELECT o.*,
        CASE
            WHEN a.closed >= 10 THEN {'from': 'stage and age', 'closed': a.closed, 'won': a.won}
            WHEN g.closed >= 10 THEN {'from': 'stage', 'closed': g.closed, 'won': g.won}
            WHEN c.closed >= 10 THEN {'from': 'CRM', 'closed': c.closed, 'won': c.won}
        END AS history
    FROM open AS o
    LEFT JOIN by_age AS a ON a.source = o.source AND a.deal_id = o.deal_id
    LEFT JOIN by_stage AS g ON g.source = o.source AND g.pipeline = o.pipeline AND g.stage = o.stage
    LEFT JOIN by_source AS c ON c.source = o.source
)
SELECT * EXCLUDE (history), coalesce((history.won + 1) / (history.closed + 2), probability) AS win_chance,
    coalesce(history['from'], CASE WHEN probability IS NOT NULL THEN 'stated' END) AS chance_from,
    coalesce(history.closed, 0) AS chance_deals
FROM judged
