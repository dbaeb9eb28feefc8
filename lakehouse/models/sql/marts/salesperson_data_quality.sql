/*
doc: "How well each user keeps the records: what is written down, fillers and pasted notes left out, with a rank in the month."
zh: "每位员工每月的数据质量：填写率不计占位符与粘贴文本，并给出当月名次。"
grain: "one row a month, CRM and user with an activity or a new contact"
key: [month, source, user_id]
sort: [month, source]
columns:
  - {name: month, type: date, doc: "First day of the month, in the zone of the business", zh: "月份的第一天（业务时区）"}
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: user_id, type: string, doc: "User", zh: "员工编号"}
  - {name: team, type: string, doc: "Team of that user now", zh: "该员工现在的团队"}
  - {name: activities, type: long, doc: "Calls, e-mails, meetings, messages, notes and tasks", zh: "跟进次数"}
  - {name: empty_notes, type: long, doc: "Of these without a text", zh: "其中没有内容的次数"}
  - {name: filler_notes, type: long, doc: "With a text that says nothing: 无, -, n/a, test and the like", zh: "其中只写占位符的次数"}
  - {name: pasted_notes, type: long, doc: "With a text that the same user wrote three times or more so far", zh: "其中重复粘贴的次数（同一员工同文三次及以上）"}
  - {name: useful_notes, type: long, doc: "With a text of their own", zh: "其中有实际内容的次数"}
  - {name: new_contacts, type: long, doc: "Contacts created in the month that the user looks after", zh: "当月新建且由其负责的联系人数"}
  - {name: contact_fields, type: long, doc: "Fields of these: name, phone, e-mail, city", zh: "其姓名、电话、邮箱、城市字段数"}
  - {name: fields_filled, type: long, doc: "Of these filled with more than a filler", zh: "其中已填且非占位符的字段数"}
  - {name: score, type: double, doc: "Useful notes and filled fields, of all activities and fields", zh: "得分：有效内容与已填字段占全部的比例"}
  - {name: rank, type: int, doc: "Place in the CRM and month by score, 1 is best; equal scores share a place", zh: "当月在该系统中的名次，1 为最好；同分同名次"}
audits:
  - {name: "a note is of one kind", condition: "activities = empty_notes + filler_notes + pasted_notes + useful_notes"}
  - {name: "a score is between 0 and 1", condition: "score BETWEEN 0 AND 1"}
*/
-- A filler is a text without two letters or digits, or a word that stands for nothing. Texts are compared without case, spaces
-- and punctuation. What counts is when the activity took place, not when it was typed in.
WITH written AS (
    SELECT source, user_id, CAST(date_trunc('month', occurred_at AT TIME ZONE getvariable('time_zone')) AS DATE) AS month,
        nullif(trim(body), '') AS body,
        lower(regexp_replace(coalesce(body, ''), '[^\p{L}\p{N}]', '', 'g')) AS words
    FROM core.activities
    WHERE user_id IS NOT NULL
        AND CAST(occurred_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of')
),
judged AS (
    SELECT *,
        CASE
            WHEN body IS NULL THEN 'empty'
            WHEN length(words) < 2 OR words IN ('na', 'none', 'null', 'nil', 'test', 'todo', 'tbd', 'xx', 'xxx', 'ok',
                '没有', '暂无', '测试', '同上', '如题', '待补充', '不详', '未知') OR regexp_full_match(words, '\p{N}{1,4}')
                THEN 'filler'
            WHEN count(*) OVER (PARTITION BY source, user_id, words) >= 3 THEN 'pasted'
            ELSE 'useful'
        END AS note
    FROM written
),
notes AS (
    SELECT month, source, user_id, count(*) AS activities, count(*) FILTER (note = 'empty') AS empty_notes,
        count(*) FILTER (note = 'filler') AS filler_notes, count(*) FILTER (note = 'pasted') AS pasted_notes,
        count(*) FILTER (note = 'useful') AS useful_notes
    FROM judged
    GROUP BY month, source, user_id
),
contacts AS (
    SELECT CAST(date_trunc('month', created_at AT TIME ZONE getvariable('time_zone')) AS DATE) AS month, source,
        owner_id AS user_id, count(*) AS new_contacts,
        sum(length([text FOR text IN
            [coalesce(name, concat(last_name, first_name)), phone, email, city]
            IF length(regexp_replace(coalesce(text, ''), '[^\p{L}\p{N}]', '', 'g')) >= 2
                AND lower(trim(text)) NOT IN ('n/a', 'none', 'null', 'test', '没有', '暂无', '测试', '不详', '未知')])) AS fields_filled
    FROM core.contacts
    WHERE valid_to IS NULL AND owner_id IS NOT NULL
        AND CAST(created_at AT TIME ZONE getvariable('time_zone') AS DATE) <= getvariable('as_of')
    GROUP BY 1, 2, 3
),
teams AS (SELECT source, user_id, any_value(team) AS team FROM core.users WHERE valid_to IS NULL GROUP BY source, user_id),
joined AS (
    SELECT month, source, user_id, coalesce(n.activities, 0) AS activities, coalesce(n.empty_notes, 0) AS empty_notes,
        coalesce(n.filler_notes, 0) AS filler_notes, coalesce(n.pasted_notes, 0) AS pasted_notes,
        coalesce(n.useful_notes, 0) AS useful_notes, coalesce(c.new_contacts, 0) AS new_contacts,
        coalesce(4 * c.new_contacts, 0) AS contact_fields, coalesce(c.fields_filled, 0) AS fields_filled
    FROM notes AS n
    FULL JOIN contacts AS c USING (month, source, user_id)
),
scored AS (SELECT *, (useful_notes + fields_filled) / (activities + contact_fields) AS score FROM joined)
SELECT s.*, t.team, rank() OVER (PARTITION BY s.month, s.source ORDER BY s.score DESC) AS rank
FROM scored AS s
LEFT JOIN teams AS t ON t.source = s.source AND t.user_id = s.user_id
