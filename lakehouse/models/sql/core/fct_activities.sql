/*
doc: "What people of the company did for customers, for reports: no texts, and who did it, as that person was then."
zh: "跟进事实：不含文本，执行人为当时的员工版本。"
kind: view
grain: "one row an activity"
key: [activity_key]
columns:
  - {name: activity_key, doc: "Identifies the activity: `source:activity_id`", zh: "活动键"}
  - {name: day, type: date, doc: "Day in the zone of the business: `core.dim_date`", zh: "日期（业务时区）"}
  - {name: occurred_at, type: timestamptz, doc: "When, UTC", zh: "发生时间（UTC）"}
  - {name: customer_id, doc: "Customer: `core.dim_customer`; null while unresolved", zh: "客户；未识别时为空"}
  - {name: salesperson_version, doc: "Who did it, as of then: `core.dim_salesperson`", zh: "当时的员工版本"}
  - {name: kind, doc: "call, email, meeting, message, note or task", zh: "类型"}
  - {name: direction, doc: "inbound or outbound, where known", zh: "方向"}
  - {name: outcome, doc: "Outcome as the CRM calls it", zh: "结果"}
  - {name: duration_s, type: double, doc: "Duration in seconds", zh: "时长（秒）"}
*/
SELECT concat_ws(':', a.source, a.activity_id) AS activity_key,
    CAST(a.occurred_at AT TIME ZONE getvariable('time_zone') AS DATE) AS day, a.occurred_at, a.customer_id, s.salesperson_version,
    a.kind, a.direction, a.outcome, a.duration_s
FROM core.activities AS a
LEFT JOIN core.dim_salesperson AS s ON s.source = a.source AND s.user_id = a.user_id AND s.counts_from <= a.occurred_at
    AND (s.counts_to > a.occurred_at OR s.counts_to IS NULL)
