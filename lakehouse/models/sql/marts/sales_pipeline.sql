/*
doc: "Open deals by stage and owner: how many, worth what, how old, and what history expects of them."
zh: "按阶段与负责人汇总的在谈商机：数量、金额、停留天数，以及按历史的预期。"
grain: "one row a CRM, pipeline, stage and owner with open deals"
key: [source, pipeline, stage, owner_id]
sort: [source, pipeline, stage]
columns:
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: pipeline, type: string, doc: "Pipeline or process; empty where the CRM has one", zh: "销售流程；仅有一个时为空文本"}
  - {name: stage, type: string, doc: "Stage as the CRM calls it; empty where it names none", zh: "商机阶段；未写时为空文本"}
  - {name: owner_id, type: string, doc: "User who works on them; empty where nobody does", zh: "负责人编号；无人负责时为空文本"}
  - {name: team, type: string, doc: "Team of that user", zh: "负责人所在团队"}
  - {name: deals, type: long, doc: "Open deals", zh: "在谈商机数"}
  - {name: unvalued_deals, type: long, doc: "Of these without an amount or rate; they are in no sum", zh: "其中无金额或汇率的商机数；不进合计"}
  - {name: amount, type: "decimal(18,2)", doc: "Their value in the home currency", zh: "金额合计（本位币）"}
  - {name: weighted, type: "decimal(18,2)", doc: "Value times the chance that the CRM states, of those that state one", zh: "按 CRM 所写概率加权的金额（仅限写了概率的）"}
  - {name: expected, type: "decimal(18,2)", doc: "Value times the chance by history: see `marts.open_deals`", zh: "按历史赢单概率加权的金额，见 marts.open_deals"}
  - {name: mean_age_days, type: double, doc: "Mean days since creation", zh: "平均商机天数"}
  - {name: mean_stage_days, type: double, doc: "Mean days in the stage", zh: "平均停留天数"}
  - {name: overdue_deals, type: long, doc: "Deals whose expected close is past", zh: "已过预计成交日的商机数"}
  - {name: overdue_amount, type: "decimal(18,2)", doc: "Their value", zh: "其金额"}
audits:
  - {name: "some are overdue, never more than all", condition: "overdue_deals <= deals AND unvalued_deals <= deals"}
*/
SELECT source, pipeline, stage, owner_id, any_value(team) AS team, count(*) AS deals,
    count(*) - count(amount) AS unvalued_deals, coalesce(sum(amount), 0) AS amount,
    coalesce(sum(amount * probability), 0) AS weighted, coalesce(sum(amount * win_chance), 0) AS expected,
    avg(age_days) AS mean_age_days, avg(stage_days) AS mean_stage_days, count(overdue_days) AS overdue_deals,
    coalesce(sum(amount) FILTER (overdue_days IS NOT NULL), 0) AS overdue_amount
FROM marts.open_deals
GROUP BY source, pipeline, stage, owner_id
