/*
doc: "How good the records are, by source and field: filled, valid, unique, fresh, now and at the end of the month before."
zh: "按来源与字段统计的数据质量：填写率、有效率、重复与新鲜度，以及上月末的对比。"
grain: "one row a source, entity and field"
key: [source, entity, field]
sort: [source, entity]
columns:
  - {name: source, type: string, doc: "System that holds the records", zh: "来源系统"}
  - {name: entity, type: string, doc: "contacts, leads, deals, tickets or orders", zh: "实体：contacts、leads、deals、tickets、orders"}
  - {name: field, type: string, doc: "Field of it, as in `core`", zh: "字段（同 core）"}
  - {name: records, type: long, doc: "Records now that should have it: of `loss_reason` the lost deals, of `satisfaction` the closed tickets", zh: "应有该字段的记录数"}
  - {name: filled, type: long, doc: "Of these with a value that is no filler", zh: "其中已填且非占位符的记录数"}
  - {name: fill_rate, type: double, doc: "Filled over records", zh: "填写率"}
  - {name: invalid, type: long, doc: "Values that cannot be right: see the rules below", zh: "不可能正确的值的个数"}
  - {name: validity, type: double, doc: "Values that can be right, of those filled; null where none is", zh: "有效率；均未填写时为空"}
  - {name: duplicates, type: long, doc: "Records whose value another record of the source has before them; of `email` and `phone`, else null", zh: "与同来源其他记录重复的个数；仅限邮箱与电话"}
  - {name: fill_rate_before, type: double, doc: "The fill rate at the end of the month before; null where there were no records", zh: "上月末填写率；当时无记录则为空"}
  - {name: validity_before, type: double, doc: "The validity then", zh: "上月末有效率"}
  - {name: fill_rate_change, type: double, doc: "The fill rate less the one before", zh: "填写率变化"}
  - {name: last_changed_on, type: date, doc: "Day of the last change of such a record that the source tells", zh: "该来源最近一次变更日期"}
  - {name: days_since_change, type: int, doc: "Days since then; null where the source tells no times", zh: "距最近变更的天数；来源不提供时间则为空"}
audits:
  - {name: "parts are no more than all", condition: "filled <= records AND invalid <= filled"}
*/
-- A filler is a text without two letters or digits, or a word that stands for nothing. Invalid are: an e-mail address without
-- one @ and a point behind it, a phone of fewer than 7 or more than 15 digits, a birth date before 1900 or to come, an amount
-- below zero, a close of an open deal that is past, a rating out of 0 to 1. A version of a record held from its time on, the
-- first one since the record was created: sources without a clock tell of records when they are loaded.
WITH days AS (SELECT getvariable('as_of') AS today, CAST(date_trunc('month', getvariable('as_of')) AS DATE) - 1 AS month_end),
contacts AS (
    SELECT 'contacts' AS entity, source, row_number() OVER (PARTITION BY source, contact_id ORDER BY valid_from) = 1 AS is_first,
        valid_from, valid_to, created_at, updated_at, [
        {'field': 'name', 'value': coalesce(name, concat(last_name, first_name)), 'applies': true, 'is_wrong': false},
        {'field': 'email', 'value': lower(email), 'applies': true,
            'is_wrong': NOT regexp_full_match(email, '[^@\s]+@[^@\s]+\.[^@\s]+')},
        {'field': 'phone', 'value': regexp_replace(translate(phone, '０１２３４５６７８９', '0123456789'), '[^0-9]', '', 'g'), 'applies': true,
            'is_wrong': length(regexp_replace(phone, '[^\p{N}]', '', 'g')) NOT BETWEEN 7 AND 15},
        {'field': 'city', 'value': city, 'applies': true, 'is_wrong': false},
        {'field': 'birth_date', 'value': CAST(birth_date AS VARCHAR), 'applies': true,
            'is_wrong': birth_date < DATE '1900-01-01' OR birth_date > getvariable('as_of')},
        {'field': 'owner_id', 'value': owner_id, 'applies': true, 'is_wrong': false},
        {'field': 'status', 'value': status, 'applies': true, 'is_wrong': false}
    ] AS fields
    FROM core.contacts
),
leads AS (
    SELECT 'leads' AS entity, source, row_number() OVER (PARTITION BY source, lead_id ORDER BY valid_from) = 1 AS is_first,
        valid_from, valid_to, created_at, updated_at, [
        {'field': 'name', 'value': name, 'applies': true, 'is_wrong': false},
        {'field': 'email', 'value': lower(email), 'applies': true,
            'is_wrong': NOT regexp_full_match(email, '[^@\s]+@[^@\s]+\.[^@\s]+')},
        {'field': 'phone', 'value': regexp_replace(translate(phone, '０１２３４５６７８９', '0123456789'), '[^0-9]', '', 'g'), 'applies': true,
            'is_wrong': length(regexp_replace(phone, '[^\p{N}]', '', 'g')) NOT BETWEEN 7 AND 15},
        {'field': 'channel', 'value': channel, 'applies': true, 'is_wrong': false},
        {'field': 'owner_id', 'value': owner_id, 'applies': true, 'is_wrong': false},
        {'field': 'status', 'value': status, 'applies': true, 'is_wrong': false}
    ] AS fields
    FROM core.leads
),
deals AS (
    SELECT 'deals' AS entity, source, row_number() OVER (PARTITION BY source, deal_id ORDER BY valid_from) = 1 AS is_first,
        valid_from, valid_to, created_at, updated_at, [
        {'field': 'customer_id', 'value': customer_id, 'applies': true, 'is_wrong': false},
        {'field': 'owner_id', 'value': owner_id, 'applies': true, 'is_wrong': false},
        {'field': 'stage', 'value': stage, 'applies': true, 'is_wrong': false},
        {'field': 'amount', 'value': CAST(amount AS VARCHAR), 'applies': true, 'is_wrong': amount < 0},
        {'field': 'close_date', 'value': CAST(close_date AS VARCHAR), 'applies': true,
            'is_wrong': NOT coalesce(is_closed, false) AND close_date < getvariable('as_of')},
        {'field': 'channel', 'value': channel, 'applies': true, 'is_wrong': false},
        {'field': 'loss_reason', 'value': loss_reason, 'applies': coalesce(is_closed AND NOT is_won, false), 'is_wrong': false}
    ] AS fields
    FROM core.deals
),
tickets AS (
    SELECT 'tickets' AS entity, source, row_number() OVER (PARTITION BY source, ticket_id ORDER BY valid_from) = 1 AS is_first,
        valid_from, valid_to, created_at, updated_at, [
        {'field': 'customer_id', 'value': customer_id, 'applies': true, 'is_wrong': false},
        {'field': 'owner_id', 'value': owner_id, 'applies': true, 'is_wrong': false},
        {'field': 'kind', 'value': kind, 'applies': true, 'is_wrong': false},
        {'field': 'product_id', 'value': product_id, 'applies': true, 'is_wrong': false},
        {'field': 'first_reply_at', 'value': CAST(first_reply_at AS VARCHAR), 'applies': true,
            'is_wrong': first_reply_at < created_at},
        {'field': 'satisfaction', 'value': CAST(satisfaction AS VARCHAR), 'applies': coalesce(is_closed, false),
            'is_wrong': satisfaction NOT BETWEEN 0 AND 1}
    ] AS fields
    FROM core.tickets
),
orders AS (
    SELECT 'orders' AS entity, source, true AS is_first, ordered_at AS valid_from, CAST(NULL AS TIMESTAMPTZ) AS valid_to,
        ordered_at AS created_at, updated_at, [
        {'field': 'customer_id', 'value': customer_id, 'applies': true, 'is_wrong': false},
        {'field': 'channel', 'value': channel, 'applies': true, 'is_wrong': false},
        {'field': 'city', 'value': city, 'applies': true, 'is_wrong': false},
        {'field': 'currency', 'value': currency, 'applies': true, 'is_wrong': NOT regexp_full_match(currency, '[A-Z]{3}')},
        {'field': 'amount', 'value': CAST(amount AS VARCHAR), 'applies': true, 'is_wrong': false}
    ] AS fields
    FROM core.orders
),
records AS (
    FROM contacts UNION ALL FROM leads UNION ALL FROM deals UNION ALL FROM tickets UNION ALL FROM orders
),
dated AS (
    SELECT entity, source, fields, CAST(updated_at AT TIME ZONE getvariable('time_zone') AS DATE) AS changed_on,
        CAST(CASE WHEN is_first THEN least(created_at, valid_from) ELSE valid_from END AT TIME ZONE getvariable('time_zone')
            AS DATE) AS from_day,
        CAST(valid_to AT TIME ZONE getvariable('time_zone') AS DATE) AS to_day
    FROM records
),
values_of_fields AS (
    SELECT entity, source, changed_on, f.field, f.is_wrong,
        f.applies AND from_day <= today AND coalesce(to_day > today, true) AS is_now,
        f.applies AND from_day <= month_end AND coalesce(to_day > month_end, true) AS is_before,
        CASE WHEN regexp_matches(f.value, '(?s)[\p{L}\p{N}].*[\p{L}\p{N}]')
            OR f.field IN ('amount', 'satisfaction', 'stage', 'status', 'kind') AND trim(f.value) <> ''
            THEN CASE WHEN lower(trim(f.value)) NOT IN ('n/a', 'na', 'none', 'null', 'unknown', 'test', '没有', '暂无', '测试', '不详', '未知')
                THEN f.value END END AS value
    FROM (SELECT entity, source, changed_on, from_day, to_day, unnest(fields) AS f FROM dated)
    CROSS JOIN days
),
counted AS (
    SELECT source, entity, field, count(*) FILTER (is_now) AS records, count(value) FILTER (is_now) AS filled,
        count(value) FILTER (is_now AND is_wrong) AS invalid,
        CASE WHEN field IN ('email', 'phone') THEN count(value) FILTER (is_now)
            - count(DISTINCT CASE WHEN field IN ('email', 'phone') THEN value END) FILTER (is_now) END
            AS duplicates,
        count(*) FILTER (is_before) AS records_before, count(value) FILTER (is_before) AS filled_before,
        count(value) FILTER (is_before AND is_wrong) AS invalid_before,
        max(changed_on) FILTER (changed_on <= getvariable('as_of')) AS last_changed_on
    FROM values_of_fields
    GROUP BY source, entity, field
    HAVING count(*) FILTER (is_now) > 0
)
SELECT source, entity, field, records, filled, filled / records AS fill_rate, invalid,
    1 - invalid / nullif(filled, 0) AS validity, duplicates, filled_before / nullif(records_before, 0) AS fill_rate_before,
    1 - invalid_before / nullif(filled_before, 0) AS validity_before,
    filled / records - filled_before / nullif(records_before, 0) AS fill_rate_change, last_changed_on,
    date_diff('day', last_changed_on, getvariable('as_of')) AS days_since_change
FROM counted
