-- identity_words: what people last said of two records: 'one' person, or 'two'. Of a pair the newest word counts; none
-- is newer than when it came.
-- grain: one_record, other_record; null where no record has such a name any more
CREATE OR REPLACE TEMP TABLE identity_words AS
WITH named AS (
    SELECT i.type, i.normal, min(l.record_id) AS record_id
    FROM (SELECT DISTINCT identifier, type, normal FROM identity_normal) AS i
    JOIN identity_links AS l USING (identifier)
    WHERE l.own
    GROUP BY i.type, i.normal
),
said AS (
    SELECT
        least(o.record_id, t.record_id) AS one_record,
        greatest(o.record_id, t.record_id) AS other_record,
        w.verdict,
        (least(w.said_at, w._loaded_at), w._loaded_at, w._file_id, w._row) AS place
    FROM {words} AS w
    LEFT JOIN named AS o ON o.type = w.one_type AND o.normal = id_form(w.one_type, w.one_value)
    LEFT JOIN named AS t ON t.type = w.other_type AND t.normal = id_form(w.other_type, w.other_value)
)
SELECT one_record, other_record, verdict
FROM said
QUALIFY row_number() OVER (PARTITION BY one_record, other_record ORDER BY place DESC) = 1
