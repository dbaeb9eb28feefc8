/*
doc: "What became of the deals that entered each stage: on, back, won, lost, still there, and how long it took."
zh: "进入各阶段的商机的去向：推进、退回、赢单、输单、仍在，以及所用天数。"
grain: "one row a stage of a pipeline of a CRM"
key: [source, pipeline, stage]
sort: [source, pipeline, stage_number]
columns:
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: pipeline, type: string, doc: "Pipeline or process; empty where the CRM has one", zh: "销售流程；仅有一个时为空文本"}
  - {name: stage, type: string, doc: "Stage as the CRM calls it", zh: "商机阶段"}
  - {name: stage_number, type: int, doc: "Place of the stage in its pipeline, from 1", zh: "阶段次序，从 1 起"}
  - {name: entered, type: long, doc: "Stays: a deal that came twice counts twice", zh: "进入次数；同一商机再次进入再计"}
  - {name: deals, type: long, doc: "Deals that were ever in it", zh: "曾进入的商机数"}
  - {name: advanced, type: long, doc: "Stays that went on to a later stage", zh: "推进到后续阶段的次数"}
  - {name: back, type: long, doc: "Stays that went back to an earlier one", zh: "退回到之前阶段的次数"}
  - {name: won, type: long, doc: "Stays that ended with the deal won", zh: "直接赢单的次数"}
  - {name: lost, type: long, doc: "Stays that ended with the deal lost", zh: "直接输单的次数"}
  - {name: still_there, type: long, doc: "Stays that last", zh: "仍在该阶段的次数"}
  - {name: conversion, type: double, doc: "Advanced or won, of the stays that ended; null where none did", zh: "转化率：已结束的停留中推进或赢单的比例"}
  - {name: win_rate, type: double, doc: "Won in the end, of its deals that are closed; null where none is", zh: "最终赢单率：已关闭商机中赢单的比例"}
  - {name: median_days, type: double, doc: "Median days of the stays that ended", zh: "已结束停留的天数中位数"}
audits:
  - {name: "all stays end somehow", condition: "entered = advanced + back + won + lost + still_there"}
*/
-- The outcomes add up to the stays: nothing is counted from where deals are now.
SELECT source, pipeline, stage, stage_number, count(*) AS entered, count(DISTINCT deal_id) AS deals,
    count(*) FILTER (ended = 'advanced') AS advanced, count(*) FILTER (ended = 'back') AS back,
    count(*) FILTER (ended = 'won') AS won, count(*) FILTER (ended = 'lost') AS lost,
    count(*) FILTER (ended IS NULL) AS still_there,
    count(*) FILTER (ended IN ('advanced', 'won')) / nullif(count(ended), 0) AS conversion,
    count(DISTINCT deal_id) FILTER (became = 'won') / nullif(count(DISTINCT deal_id) FILTER (became IS NOT NULL), 0) AS win_rate,
    median(epoch(left_at - entered_at) / 86400) FILTER (ended IS NOT NULL) AS median_days
FROM core.deal_stays
GROUP BY source, pipeline, stage, stage_number
