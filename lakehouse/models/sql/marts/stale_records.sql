/*
doc: "A worklist: open deals, tickets and leads that nobody touched, and customers whom their owner has not met for long."
zh: "待办清单：无人跟进的商机、工单、线索，以及负责人久未联系的客户。"
grain: "one row a record that waits"
key: [source, kind, record_id]
sort: [owner_id, days_untouched]
columns:
  - {name: source, type: string, doc: "System that holds it", zh: "来源系统"}
  - {name: kind, type: string, doc: "deal, ticket, lead or contact", zh: "类别：商机、工单、线索、联系人"}
  - {name: record_id, type: string, doc: "Id in its source", zh: "记录编号"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: owner_id, type: string, doc: "User who looks after it; null where nobody does", zh: "负责人编号；无人负责时为空"}
  - {name: created_on, type: date, doc: "Day of its creation in the zone of the business", zh: "创建日（业务时区）"}
  - {name: last_touched_on, type: date, doc: "Day of the last activity or change of it; that of its creation where there was none", zh: "最近一次跟进或变更；从未有过时为创建日"}
  - {name: days_untouched, type: int, doc: "Days since then", zh: "未跟进天数"}
  - {name: reason, type: string, doc: "Why it is here: nobody looks after it, its close is past, never touched, or not touched for long", zh: "原因：no owner 无人负责、close is past 已过成交日、never touched 从未跟进、untouched 久未跟进"}
audits:
  - {name: "nothing is touched before it is there", condition: "days_untouched >= 0"}
*/
-- Here are deals and leads that are open and untouched for more than 14 days, tickets for more than 3, and contacts with whom
-- nobody of the company had to do for more than 180 days; and open deals whose expected close is past. A deal, lead or ticket
-- is touched by an activity on it and by a change of it that its source tells, a contact by activities alone: records are
-- changed by machines, too. A lead that was converted, or whose status says so, or closed, lost or junk, waits no more.
WITH activities AS (
    SELECT source, customer_id, contact_id, deal_id, ticket_id,
        CAST(occurred_at AT TIME ZONE getvariable('time_zone') AS DATE) AS day
    FROM core.activities
    WHERE CAST(occurred_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of')
),
of_deals AS (SELECT source, deal_id, max(day) AS day FROM activities WHERE deal_id IS NOT NULL GROUP BY source, deal_id),
of_tickets AS (SELECT source, ticket_id, max(day) AS day FROM activities WHERE ticket_id IS NOT NULL GROUP BY source, ticket_id),
of_customers AS (SELECT customer_id, max(day) AS day FROM activities WHERE customer_id IS NOT NULL GROUP BY customer_id),
of_contacts AS (SELECT source, contact_id, max(day) AS day FROM activities WHERE contact_id IS NOT NULL GROUP BY source, contact_id),
waiting AS (
    SELECT o.source, 'deal' AS kind, o.deal_id AS record_id, o.customer_id, nullif(o.owner_id, '') AS owner_id, o.created_on,
        greatest(a.day, CAST(d.updated_at AT TIME ZONE getvariable('time_zone') AS DATE)) AS touched_on,
        14 AS patience_days, o.overdue_days IS NOT NULL AS is_overdue
    FROM marts.open_deals AS o
    JOIN core.deals AS d ON d.source = o.source AND d.deal_id = o.deal_id AND d.valid_to IS NULL
    LEFT JOIN of_deals AS a ON a.source = o.source AND a.deal_id = o.deal_id
    UNION ALL
    SELECT t.source, 'ticket', t.ticket_id, t.customer_id, t.owner_id,
        CAST(t.created_at AT TIME ZONE getvariable('time_zone') AS DATE),
        greatest(a.day, CAST(t.updated_at AT TIME ZONE getvariable('time_zone') AS DATE)), 3, false
    FROM core.tickets AS t
    LEFT JOIN of_tickets AS a ON a.source = t.source AND a.ticket_id = t.ticket_id
    WHERE t.valid_to IS NULL AND NOT coalesce(t.is_closed, false)
    UNION ALL
    SELECT l.source, 'lead', l.lead_id, l.customer_id, l.owner_id,
        CAST(l.created_at AT TIME ZONE getvariable('time_zone') AS DATE),
        greatest(a.day, CAST(l.updated_at AT TIME ZONE getvariable('time_zone') AS DATE)), 14, false
    FROM core.leads AS l
    LEFT JOIN of_customers AS a ON a.customer_id = l.customer_id
    WHERE l.valid_to IS NULL AND l.converted_at IS NULL
        AND NOT regexp_matches(coalesce(l.status, ''), 'convert|close|lost|junk|invalid|转化|转换|关闭|无效|丢失|流失', 'i')
    UNION ALL
    SELECT c.source, 'contact', c.contact_id, c.customer_id, c.owner_id,
        CAST(c.created_at AT TIME ZONE getvariable('time_zone') AS DATE), greatest(a.day, b.day), 180, false
    FROM core.contacts AS c
    LEFT JOIN of_contacts AS a ON a.source = c.source AND a.contact_id = c.contact_id
    LEFT JOIN of_customers AS b ON b.customer_id = c.customer_id
    WHERE c.valid_to IS NULL AND c.owner_id IS NOT NULL
),
dated AS (
    SELECT *, greatest(created_on, CASE WHEN touched_on <= getvariable('as_of') THEN touched_on END) AS last_touched_on,
        coalesce(touched_on <= created_on, true) AS never_touched
    FROM waiting
)
SELECT source, kind, record_id, customer_id, owner_id, created_on, last_touched_on,
    date_diff('day', last_touched_on, getvariable('as_of')) AS days_untouched,
    CASE
        WHEN owner_id IS NULL THEN 'no owner'
        WHEN is_overdue THEN 'close is past'
        WHEN never_touched THEN 'never touched'
        ELSE 'untouched'
    END AS reason
FROM dated
WHERE is_overdue OR date_diff('day', last_touched_on, getvariable('as_of')) > patience_days
