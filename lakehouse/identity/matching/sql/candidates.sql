-- match_pairs: records that share a key, at least one of them new.
-- grain: left_record, right_record, the smaller text first
CREATE OR REPLACE TEMP TABLE match_pairs AS
WITH new_keys AS MATERIALIZED (
    SELECT record, key FROM {new_keys}
),
asked AS MATERIALIZED (
    SELECT DISTINCT key FROM new_keys
),
old_keys AS MATERIALIZED (
    SELECT s.record, s.key
    FROM ({stored_keys}) AS s(record, key)
    SEMI JOIN asked USING (key)
    ANTI JOIN new_keys AS n ON s.record = n.record
),
blocks AS (
    SELECT key
    FROM (SELECT key FROM new_keys UNION ALL SELECT key FROM old_keys)
    GROUP BY key
    HAVING count(*) BETWEEN 2 AND $largest_block
),
new_in_blocks AS MATERIALIZED (
    SELECT record, key FROM new_keys SEMI JOIN blocks USING (key)
),
pairs AS (
    SELECT a.record AS one, b.record AS other
    FROM new_in_blocks AS a
    JOIN new_in_blocks AS b ON a.key = b.key AND a.record < b.record
    UNION ALL
    SELECT a.record, b.record
    FROM new_in_blocks AS a
    JOIN (SELECT record, key FROM old_keys SEMI JOIN blocks USING (key)) AS b ON a.key = b.key
)
SELECT DISTINCT least(one, other) AS left_record, greatest(one, other) AS right_record
FROM pairs
