/*
doc: "When customers answered the company of themselves: opened and clicked a message, picked up, wrote, asked, rated."
zh: "客户的回应：打开或点击消息、接听、来信来电、提问、评价。"
only_on: duckdb
grain: "one row a response"
key: [source, kind, response_id]
sort: [responded_at, response_id]
columns:
  - {name: source, type: string, doc: "System that tells it", zh: "来源系统"}
  - {name: kind, type: string, doc: "opened, clicked, picked up, wrote, met, asked or rated", zh: "类别：打开、点击、接听、来信来电、会面、提问、评价"}
  - {name: response_id, type: string, doc: "Message, activity, ticket or answer in its source", zh: "来源系统中的消息、活动、工单或回答编号"}
  - {name: customer_id, type: string, doc: "Customer", zh: "客户"}
  - {name: channel, type: string, doc: "email, sms, push, phone, message, meeting or web; null where it names none", zh: "渠道；未注明时为空"}
  - {name: responded_at, type: timestamptz, doc: "When, UTC", zh: "时间（UTC）"}
  - {name: responded_on, type: date, doc: "Day in the zone of the business", zh: "日期（业务时区）"}
incremental:
  by: response_id
  of:
    raw.events: "CASE WHEN type = 'track' AND regexp_matches(event, '^(?i:email|sms|push notification) ') THEN message_id END"
    core.activities: activity_id
    core.tickets: ticket_id
    core.survey_answers: answer_id
    core.identities: {raw.events: [user_id, anonymous_id]}
*/
-- Messages by the names that Segment gives them: `Email Opened`, `Email Link Clicked`, `Push Notification Tapped`. A program
-- that fetches pictures counts as opening, since mailboxes fetch them for who reads; a robot that follows links clicks nothing.
-- A call was picked up where its outcome says so, or it took half a minute; outbound e-mails and notes are no answer. A ticket
-- counts once, on the channel that it came by.
WITH tracked AS (
    SELECT 'web' AS source, lower(event) AS event, message_id, customer_id, timestamp, user_agent
    FROM core.events
    WHERE type = 'track' AND regexp_matches(event, '^(?i:email|sms|push notification) ')
),
clicked AS (
    SELECT source, CASE WHEN event LIKE '%opened' THEN 'opened' ELSE 'clicked' END AS kind, message_id AS response_id,
        customer_id, CASE WHEN event LIKE 'push%' THEN 'push' ELSE split_part(event, ' ', 1) END AS channel,
        timestamp AS responded_at
    FROM tracked
    WHERE event LIKE '%opened' OR (event LIKE '%clicked' OR event LIKE '%tapped') AND NOT is_robot(user_agent)
    QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY timestamp, customer_id, event) = 1
),
spoken AS (
    SELECT source,
        CASE WHEN kind = 'meeting' THEN 'met' WHEN direction = 'inbound' THEN 'wrote' ELSE 'picked up' END AS kind,
        activity_id AS response_id, customer_id, CASE WHEN kind = 'call' THEN 'phone' ELSE kind END AS channel,
        occurred_at AS responded_at
    FROM core.activities
    WHERE kind = 'meeting'
            AND coalesce(lower(outcome), '') NOT IN ('cancelled', 'canceled', 'no_show', 'no show', '取消', '未到')
        OR kind IN ('call', 'email', 'message') AND direction = 'inbound'
        OR kind = 'call' AND (lower(outcome) IN ('connected', 'answered', '接通', '已接通', '已接听') OR duration_s >= 30)
),
asked AS (
    SELECT source, 'asked' AS kind, ticket_id AS response_id, arg_max(customer_id, valid_from) AS customer_id,
        CASE
            WHEN regexp_matches(lower(arg_max(channel, valid_from)), 'mail|邮') THEN 'email'
            WHEN regexp_matches(lower(arg_max(channel, valid_from)), 'phone|call|电话|热线') THEN 'phone'
            WHEN regexp_matches(lower(arg_max(channel, valid_from)), 'chat|wechat|whatsapp|message|微信|消息|在线')
                THEN 'message'
            WHEN regexp_matches(lower(arg_max(channel, valid_from)), 'web|form|site|网|表单') THEN 'web'
        END AS channel,
        min(created_at) AS responded_at
    FROM core.tickets
    GROUP BY source, ticket_id
),
rated AS (
    SELECT source, 'rated' AS kind, answer_id AS response_id, customer_id, NULL AS channel, answered_at AS responded_at
    FROM core.survey_answers
),
responses AS (
    FROM clicked UNION ALL BY NAME FROM spoken UNION ALL BY NAME FROM asked UNION ALL BY NAME FROM rated
)
SELECT source, kind, response_id, customer_id, channel, responded_at,
    CAST(responded_at AT TIME ZONE getvariable('time_zone') AS DATE) AS responded_on
FROM responses
WHERE customer_id IS NOT NULL AND responded_at IS NOT NULL
