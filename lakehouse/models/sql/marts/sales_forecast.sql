/*
doc: "What the deals that are open now will bring, with an interval of 90 %."
zh: "当前在谈商机预计带来的金额，含 90% 区间。"
grain: "one row a CRM with open deals, and one of all together"
key: [source]
sort: [source]
columns:
  - {name: source, type: string, doc: "CRM; `all` for all together", zh: "来源系统；all 为全部"}
  - {name: deals, type: long, doc: "Open deals that have an amount and a chance", zh: "有金额与概率的在谈商机数"}
  - {name: left_out, type: long, doc: "Open deals without one or the other", zh: "缺金额或概率的在谈商机数"}
  - {name: amount, type: "decimal(18,2)", doc: "Their value in the home currency, were all won", zh: "全部赢单时的金额（本位币）"}
  - {name: expected, type: "decimal(18,2)", doc: "What they bring on the average", zh: "预期金额"}
  - {name: low, type: "decimal(18,2)", doc: "Lower end of the interval", zh: "区间下限"}
  - {name: high, type: "decimal(18,2)", doc: "Upper end of the interval", zh: "区间上限"}
audits:
  - {name: "the interval holds what is expected", condition: "low <= expected AND expected <= high"}
*/
-- A deal brings its amount or nothing, by its chance in marts.open_deals. The chance is itself an estimate from `chance_deals`
-- closed deals (variance p(1 - p) / (n + 3) of its beta posterior), and errs for all deals of one stage in one direction:
-- Var = Σ amount² (p(1 - p) - v) + Σ over stages (Σ amount √v)². The interval is normal, 1.645 deviations to each side, and
-- ends at nothing and at all. It says nothing of deals that are still to come, nor of when these are closed.
WITH open AS (
    SELECT source, pipeline, stage, amount, CAST(amount AS DOUBLE) AS value, win_chance AS p,
        win_chance * (1 - win_chance) / (chance_deals + 3) AS v
    FROM (
        SELECT * REPLACE (CASE WHEN amount < 0 THEN 0 ELSE amount END AS amount) FROM marts.open_deals
    )
),
by_stage AS (
    SELECT source, pipeline, stage, count(amount * p) AS deals, count(*) - count(amount * p) AS left_out,
        sum(amount) FILTER (p IS NOT NULL) AS amount, coalesce(sum(value * p), 0) AS expected,
        coalesce(sum(value * value * (p * (1 - p) - v)) + pow(sum(value * sqrt(v)), 2), 0) AS variance
    FROM open
    GROUP BY source, pipeline, stage
),
summed AS (
    SELECT coalesce(source, 'all') AS source, sum(deals) AS deals, sum(left_out) AS left_out,
        coalesce(sum(amount), 0) AS amount, sum(expected) AS expected, sqrt(sum(variance)) AS deviation
    FROM by_stage
    GROUP BY GROUPING SETS ((source), ())
    HAVING count(*) > 0
)
SELECT source, deals, left_out, amount, expected, greatest(expected - 1.645 * deviation, 0) AS low,
    least(expected + 1.645 * deviation, amount) AS high
FROM summed
