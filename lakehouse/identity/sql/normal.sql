-- identity_normal: distinct value -> identifier, counted from 0 in the order of (type, normal form).
-- Invalid values are left out; placeholders are told.
-- grain: type, value, region
CREATE OR REPLACE TEMP TABLE identity_normal AS
WITH normal AS (
    SELECT v.type, v.value, v.region, coalesce(v.normal, u.normal) AS normal
    FROM identity_values AS v
    LEFT JOIN identity_unusual AS u USING (value_id)
),
judged AS (
    SELECT
        *,
        CASE type
            WHEN 'email' THEN list_contains($placeholders, split_part(normal, '@', 1))
            WHEN 'phone' THEN regexp_matches(normal, $placeholder_phone)
            ELSE list_contains($placeholders, lower(normal)) OR regexp_full_match(normal, $placeholder_id)
        END AS placeholder
    FROM normal
    WHERE normal IS NOT NULL
)
SELECT *, dense_rank() OVER (ORDER BY type, normal) - 1 AS identifier
FROM judged
