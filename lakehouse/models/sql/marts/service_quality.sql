/*
doc: "How well customers are served, month by month: answers, solutions, tickets that come back, ratings, what is complained of."
zh: "按月统计的服务质量：响应、解决、重开、满意度与投诉主题。"
grain: "one row a month of coming in, system, agent, theme, category and region"
key: [month, source, owner_id, theme, category, region_code]
sort: [month, source]
columns:
  - {name: month, type: date, doc: "First day of the month in which the tickets came in, in the zone of the business", zh: "工单创建月份的第一天（业务时区）"}
  - {name: source, type: string, doc: "System that holds them", zh: "来源系统"}
  - {name: owner_id, type: string, doc: "User who works on them; empty where nobody does", zh: "处理人编号；无人处理时为空文本"}
  - {name: team, type: string, doc: "Team of that user", zh: "处理人所在团队"}
  - {name: theme, type: string, doc: "What they are about, by words of the subject", zh: "主题，按标题用词归类"}
  - {name: category, type: string, doc: "Category of the product or order; `unknown` where nothing tells one", zh: "商品类目；未知时为 unknown"}
  - {name: region_code, type: string, doc: "ISO 3166-2; `unknown` where nothing says so", zh: "省份代码；未知时为 unknown"}
  - {name: tickets, type: long, doc: "Tickets that came in", zh: "工单数"}
  - {name: complaints, type: long, doc: "Of these complaints", zh: "其中投诉数"}
  - {name: answered, type: long, doc: "Tickets whose first answer is known", zh: "已知首次响应的工单数"}
  - {name: first_response_hours, type: double, doc: "Median hours to it; null where none is known", zh: "首次响应小时数的中位数"}
  - {name: resolved, type: long, doc: "Tickets that are done", zh: "已解决的工单数"}
  - {name: resolution_hours, type: double, doc: "Median hours to the last close, of those that tell it", zh: "解决小时数的中位数"}
  - {name: reopened, type: long, doc: "Tickets that came back at least once after a close", zh: "重开过的工单数"}
  - {name: reopen_rate, type: double, doc: "Reopened, of those that were ever closed; null where none was", zh: "重开率：曾关闭工单中重开过的比例"}
  - {name: rated, type: long, doc: "Tickets with a rating", zh: "有评价的工单数"}
  - {name: satisfied, type: long, doc: "Of these rated 0.75 or better: four or five of five", zh: "其中满意数（五分制的四分及以上）"}
  - {name: csat, type: double, doc: "Satisfied over rated; null where none is rated", zh: "满意率；无评价时为空"}
  - {name: mean_satisfaction, type: double, doc: "Mean rating, 0 to 1", zh: "平均满意度（0 到 1）"}
audits:
  - {name: "parts are no more than all", condition: "answered <= tickets AND resolved <= tickets AND satisfied <= rated"}
*/
-- A ticket counts in the month in which it came in, whenever it was solved. Rates of several rows are made of their counts,
-- never of their rates; medians of several rows are asked of core.ticket_facts. The months after `as_of` are left out.
WITH teams AS (SELECT source, user_id, any_value(team) AS team FROM core.users WHERE valid_to IS NULL GROUP BY source, user_id)
SELECT CAST(date_trunc('month', f.created_on) AS DATE) AS month, f.source, coalesce(f.owner_id, '') AS owner_id,
    any_value(t.team) AS team, f.theme, coalesce(f.category, 'unknown') AS category,
    coalesce(f.region_code, 'unknown') AS region_code,
    count(*) AS tickets, count(*) FILTER (f.is_complaint) AS complaints, count(f.first_response_hours) AS answered,
    median(f.first_response_hours) AS first_response_hours, count(*) FILTER (f.is_resolved) AS resolved,
    median(f.resolution_hours) AS resolution_hours, count(*) FILTER (f.reopened > 0) AS reopened,
    count(*) FILTER (f.reopened > 0) / nullif(count(*) FILTER (f.is_resolved OR f.reopened > 0), 0) AS reopen_rate,
    count(f.satisfaction) AS rated, count(*) FILTER (f.satisfaction >= 0.75) AS satisfied,
    count(*) FILTER (f.satisfaction >= 0.75) / nullif(count(f.satisfaction), 0) AS csat,
    avg(f.satisfaction) AS mean_satisfaction
FROM core.ticket_facts AS f
LEFT JOIN teams AS t ON t.source = f.source AND t.user_id = f.owner_id
WHERE f.created_on <= getvariable('as_of')
GROUP BY 1, 2, 3, 5, 6, 7
