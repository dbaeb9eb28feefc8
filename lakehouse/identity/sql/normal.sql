-- identity_normal: distinct part of a value -> identifier, counted from 0 in the order of (type, normal form).
-- Invalid values are left out; placeholders are told.
-- grain: type, value, region, part
CREATE OR REPLACE TEMP TABLE identity_normal AS
WITH normal AS (
    SELECT v.type, v.value, v.region, v.part, coalesce(v.normal, u.normal) AS normal
    FROM identity_values AS v
    LEFT JOIN identity_unusual AS u USING (value_id)
),
judged AS (
    SELECT
        *,
        CASE type
            WHEN 'email' THEN regexp_full_match(split_part(normal, '@', 1), $placeholder_mailbox)
            WHEN 'phone' THEN regexp_full_match(normal, $placeholder_phone)
            ELSE regexp_full_match(normal, $placeholder_id)
        END AS placeholder
    FROM normal
    WHERE normal IS NOT NULL
)
SELECT *, dense_rank() OVER (ORDER BY type, normal) - 1 AS identifier
FROM judged
