/*
doc: "How long each deal stayed in which stage, and how the stay ended: a step on the way to the marts of selling."
zh: "商机在各阶段的停留及其结束方式；通往销售集市表的一步。"
grain: "one row a stay of a deal in a stage in which deals are open"
key: [source, deal_id, entered_at]
sort: [entered_at, deal_id]
columns:
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: deal_id, type: string, doc: "Deal", zh: "商机编号"}
  - {name: pipeline, type: string, doc: "Pipeline or process; empty where the CRM has one", zh: "销售流程；仅有一个时为空文本"}
  - {name: stage, type: string, doc: "Stage as the CRM calls it", zh: "商机阶段"}
  - {name: stage_number, type: int, doc: "Place of the stage in its pipeline, from 1: by the order in which deals enter them", zh: "阶段在流程中的次序，从 1 起"}
  - {name: entered_at, type: timestamptz, doc: "When it entered the stage, UTC", zh: "进入时间（UTC）"}
  - {name: left_at, type: timestamptz, doc: "When it left it, UTC; null while it is there", zh: "离开时间（UTC）；仍在时为空"}
  - {name: ended, type: string, doc: "advanced, back, won or lost; null while it is there", zh: "结束方式：advanced 推进、back 退回、won 赢单、lost 输单；仍在时为空"}
  - {name: became, type: string, doc: "What became of the deal in the end: won or lost; null while it is open", zh: "商机最终结果：won 或 lost；未关闭时为空"}
audits:
  - {name: "a stay ends after it begins", condition: "left_at >= entered_at"}
*/
-- Stages are told by the CRM's own history. The same stage twice in a row is one stay, however often it is told. A stage
-- whose deals are all closed is where deals end, and no stay. A stage that was skipped was not entered.
WITH deals AS (
    SELECT source, deal_id, coalesce(pipeline, '') AS pipeline, stage,
        CASE WHEN is_closed THEN CASE WHEN is_won THEN 'won' ELSE 'lost' END END AS became,
        CASE WHEN is_closed THEN close_date END AS closed_on
    FROM core.deals
    WHERE valid_to IS NULL
),
closing_stages AS (
    SELECT source, pipeline, stage FROM deals GROUP BY source, pipeline, stage HAVING bool_and(became IS NOT NULL)
),
entries AS (
    SELECT s.source, s.deal_id, d.pipeline, s.stage, s.entered_at, d.became, d.closed_on,
        c.stage IS NOT NULL AS is_end
    FROM core.deal_stages AS s
    JOIN deals AS d ON d.source = s.source AND d.deal_id = s.deal_id
    LEFT JOIN closing_stages AS c ON c.source = s.source AND c.pipeline = d.pipeline AND c.stage = s.stage
    WHERE s.entered_at IS NOT NULL AND s.stage IS NOT NULL
        AND CAST(s.entered_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of')
    QUALIFY row_number() OVER (PARTITION BY s.source, s.deal_id, s.entered_at ORDER BY s.change_id DESC) = 1
),
changes AS (
    SELECT *, row_number() OVER (PARTITION BY source, deal_id ORDER BY entered_at) AS step
    FROM (
        SELECT * FROM entries
        QUALIFY stage IS DISTINCT FROM lag(stage) OVER (PARTITION BY source, deal_id ORDER BY entered_at)
    )
),
stages AS (
    SELECT source, pipeline, stage,
        row_number() OVER (PARTITION BY source, pipeline ORDER BY avg(first_step), stage) AS stage_number
    FROM (
        SELECT source, pipeline, deal_id, stage, min(step) AS first_step FROM changes WHERE NOT is_end GROUP BY ALL
    )
    GROUP BY source, pipeline, stage
),
stays AS (
    SELECT c.*, g.stage_number, lead(c.entered_at) OVER of_deal AS next_at, lead(c.is_end) OVER of_deal AS next_is_end,
        lead(g.stage_number) OVER of_deal AS next_number
    FROM changes AS c
    LEFT JOIN stages AS g ON g.source = c.source AND g.pipeline = c.pipeline AND g.stage = c.stage
    WINDOW of_deal AS (PARTITION BY c.source, c.deal_id ORDER BY c.entered_at)
)
SELECT source, deal_id, pipeline, stage, stage_number, entered_at,
    coalesce(next_at, CASE WHEN closed_on <= getvariable('as_of')
        THEN greatest(entered_at, CAST(closed_on AS TIMESTAMP) AT TIME ZONE getvariable('time_zone')) END) AS left_at,
    CASE
        WHEN next_at IS NULL AND coalesce(closed_on <= getvariable('as_of'), became IS NOT NULL) OR next_is_end THEN became
        WHEN next_number > stage_number THEN 'advanced'
        WHEN next_number < stage_number THEN 'back'
    END AS ended,
    CASE WHEN coalesce(closed_on <= getvariable('as_of'), true) THEN became END AS became
FROM stays
WHERE NOT is_end
