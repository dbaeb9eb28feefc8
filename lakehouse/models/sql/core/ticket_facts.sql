/*
doc: "What became of each ticket: how fast it was answered and solved, how often it came back, how it was rated."
zh: "每张工单的结果：响应与解决用时、重开次数、评价。"
grain: "one row a ticket"
key: [source, ticket_id]
sort: [created_on, ticket_id]
columns:
  - {name: source, type: string, doc: "System that holds it", zh: "来源系统"}
  - {name: ticket_id, type: string, doc: "Ticket", zh: "工单编号"}
  - {name: customer_id, type: string, doc: "Customer; null while unresolved", zh: "客户；未识别时为空"}
  - {name: created_on, type: date, doc: "Day it came in, in the zone of the business", zh: "创建日（业务时区）"}
  - {name: kind, type: string, doc: "Kind as the source calls it", zh: "工单类型"}
  - {name: is_complaint, type: boolean, doc: "Its kind says that it is a complaint", zh: "类型为投诉"}
  - {name: theme, type: string, doc: "What it is about, by words of its subject: delivery, wrong goods, damage, quality, staff, money or other", zh: "主题：delivery 物流、wrong goods 错发、damage 破损、quality 质量、staff 态度、money 费用、other 其他"}
  - {name: channel, type: string, doc: "How it came in", zh: "渠道"}
  - {name: owner_id, type: string, doc: "User who works on it, or did last; null where nobody does", zh: "处理人编号"}
  - {name: category, type: string, doc: "Category of the product, or of all that its order holds; null where these differ or are unknown", zh: "商品类目，或其订单的唯一类目；不唯一或未知时为空"}
  - {name: region_code, type: string, doc: "Region of its order, else of the customer's last one; null where unknown", zh: "省份：所涉订单，其次客户最近订单；未知时为空"}
  - {name: first_response_hours, type: double, doc: "Hours by the clock from coming in to the first answer; null while there is none", zh: "首次响应小时数（自然时间）；未响应时为空"}
  - {name: resolution_hours, type: double, doc: "Hours by the clock from coming in to the last close; null while open or where no time is told", zh: "解决小时数（到最后一次关闭）；未关闭或无时间时为空"}
  - {name: is_resolved, type: boolean, doc: "Nothing is left to do", zh: "已解决"}
  - {name: reopened, type: int, doc: "Times that it was opened again after a close", zh: "关闭后重开的次数"}
  - {name: satisfaction, type: double, doc: "Customer's rating, 0 to 1; null where there is none", zh: "满意度（0 到 1）；未评价时为空"}
audits:
  - {name: "nothing ends before it begins", condition: "first_response_hours >= 0 AND resolution_hours >= 0"}
  - {name: "a rating is between 0 and 1", condition: "satisfaction BETWEEN 0 AND 1"}
*/
-- The first answer is what the source says, else the first outbound activity on the ticket; one before the ticket is none.
-- A status is closed where the tickets that have it are. Opened again is a change from a closed status to another, in the
-- source's own history or between two versions of the record, whichever tells of more. A survey is about a ticket of its own
-- source, where that has tickets, else about the one of that number, if there is one only.
WITH tickets AS (
    SELECT *, CAST(created_at AT TIME ZONE getvariable('time_zone') AS DATE) AS created_on,
        count(*) OVER (PARTITION BY ticket_id) AS tickets_of_number
    FROM core.tickets
    WHERE valid_to IS NULL
),
replies AS (
    SELECT source, ticket_id, min(occurred_at) AS replied_at
    FROM core.activities
    WHERE ticket_id IS NOT NULL AND direction = 'outbound' AND kind IN ('call', 'email', 'meeting', 'message')
    GROUP BY source, ticket_id
),
closed_statuses AS (
    SELECT source, status FROM core.tickets WHERE status IS NOT NULL GROUP BY source, status HAVING bool_and(coalesce(is_closed, false))
),
changes AS (
    SELECT s.source, s.ticket_id, s.entered_at, c.status IS NOT NULL AS is_closed,
        lag(c.status IS NOT NULL) OVER (PARTITION BY s.source, s.ticket_id ORDER BY s.entered_at, s.change_id) AS was_closed
    FROM core.ticket_statuses AS s
    LEFT JOIN closed_statuses AS c ON c.source = s.source AND c.status = s.status
    WHERE s.entered_at IS NOT NULL
),
history AS (
    SELECT source, ticket_id, count(*) FILTER (was_closed AND NOT is_closed) AS reopened,
        max(entered_at) FILTER (is_closed) AS closed_at
    FROM changes
    GROUP BY source, ticket_id
),
versions AS (
    SELECT source, ticket_id, count(*) FILTER (was_closed AND NOT coalesce(is_closed, false)) AS reopened
    FROM (
        SELECT *, lag(is_closed) OVER (PARTITION BY source, ticket_id ORDER BY valid_from) AS was_closed FROM core.tickets
    )
    GROUP BY source, ticket_id
),
answers AS (
    SELECT t.source, t.ticket_id, avg(a.score / a.scale_max) AS satisfaction
    FROM (SELECT *, source IN (SELECT source FROM core.tickets) AS has_tickets FROM core.survey_answers) AS a
    JOIN tickets AS t ON t.ticket_id = a.subject_id
        AND (t.source = a.source OR t.tickets_of_number = 1 AND NOT a.has_tickets)
    WHERE a.subject_kind = 'ticket' AND a.score BETWEEN 0 AND a.scale_max AND a.scale_max > 0
    GROUP BY t.source, t.ticket_id
),
-- an order is that of the ticket's source where it has orders, else the one of that number, if there is one only
order_facts AS (
    SELECT source, order_id, CASE WHEN count(DISTINCT coalesce(category, '')) = 1 THEN min(category) END AS category,
        min(region_code) AS region_code, count(*) OVER (PARTITION BY order_id) AS orders_of_number
    FROM core.sales_ledger
    WHERE entry = 'sale' AND order_id IN (SELECT order_id FROM core.tickets)
    GROUP BY source, order_id
),
selling AS (SELECT DISTINCT source FROM core.sales_ledger),
last_regions AS (
    SELECT customer_id, arg_max(region_code, (day, source, order_id)) AS region_code
    FROM core.sales_ledger
    WHERE region_code IS NOT NULL AND customer_id IN (SELECT customer_id FROM core.tickets)
    GROUP BY customer_id
),
product_categories AS (
    SELECT product_id, CASE WHEN count(DISTINCT category) = 1 THEN min(category) END AS category
    FROM core.products
    WHERE valid_to IS NULL
    GROUP BY product_id
),
joined AS (
    SELECT t.*, coalesce(p.category, own.category, other.category) AS category,
        coalesce(own.region_code, other.region_code, l.region_code) AS region_code,
        coalesce(t.first_reply_at, r.replied_at) AS replied_at,
        CASE WHEN t.is_closed THEN greatest(t.closed_at, h.closed_at) END AS last_closed_at,
        greatest(coalesce(h.reopened, 0), coalesce(v.reopened, 0)) AS reopened,
        CASE WHEN t.satisfaction BETWEEN 0 AND 1 THEN t.satisfaction ELSE a.satisfaction END AS rating
    FROM tickets AS t
    LEFT JOIN replies AS r ON r.source = t.source AND r.ticket_id = t.ticket_id
    LEFT JOIN history AS h ON h.source = t.source AND h.ticket_id = t.ticket_id
    LEFT JOIN versions AS v ON v.source = t.source AND v.ticket_id = t.ticket_id
    LEFT JOIN answers AS a ON a.source = t.source AND a.ticket_id = t.ticket_id
    LEFT JOIN order_facts AS own ON own.source = t.source AND own.order_id = t.order_id
    LEFT JOIN selling AS s ON s.source = t.source
    LEFT JOIN order_facts AS other
        ON other.order_id = t.order_id AND other.orders_of_number = 1 AND s.source IS NULL
    LEFT JOIN last_regions AS l ON l.customer_id = t.customer_id
    LEFT JOIN product_categories AS p ON p.product_id = t.product_id
)
SELECT source, ticket_id, customer_id, created_on, kind,
    regexp_matches(coalesce(kind, ''), 'complain|投诉', 'i') AS is_complaint,
    CASE
        WHEN regexp_matches(coalesce(subject, ''), 'wrong (item|product|goods)|missing|发错|错发|漏发|少发|少件', 'i') THEN 'wrong goods'
        WHEN regexp_matches(coalesce(subject, ''), 'damage|broken|破损|损坏|碎', 'i') THEN 'damage'
        WHEN regexp_matches(coalesce(subject, ''), 'quality|defect|质量|瑕疵', 'i') THEN 'quality'
        WHEN regexp_matches(coalesce(subject, ''), 'rude|attitude|staff|态度|服务差', 'i') THEN 'staff'
        WHEN regexp_matches(coalesce(subject, ''), 'refund|invoice|price|charge|退款|发票|价格|收费', 'i') THEN 'money'
        WHEN regexp_matches(coalesce(subject, ''), 'deliver|shipping|shipment|parcel|物流|快递|发货|配送', 'i') THEN 'delivery'
        ELSE 'other'
    END AS theme,
    channel, owner_id, category, region_code,
    CASE WHEN replied_at >= created_at THEN epoch(replied_at - created_at) / 3600 END AS first_response_hours,
    CASE WHEN last_closed_at >= created_at THEN epoch(last_closed_at - created_at) / 3600 END AS resolution_hours,
    coalesce(is_closed, false) AS is_resolved, reopened, rating AS satisfaction
FROM joined
