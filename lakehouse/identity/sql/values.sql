-- identity_values: every distinct value once, with its normal form where no library is needed. Of a cell with several
-- e-mails, divided by {dividers}, each is a value of its own.
-- `plain_identifier` and `id_form` are of `lakehouse.engine.normal_forms`.
-- grain: type, value, region, part
-- normal: text, or NULL for an e-mail or phone that a library must judge, and for an id that has been rounded
CREATE OR REPLACE TEMP TABLE identity_values AS
WITH cells AS (
    SELECT type, value, region, sum(observations) AS observations
    FROM identity_said
    WHERE value IS NOT NULL
    GROUP BY ALL
),
parts AS (
    SELECT
        type, value, region, observations,
        trim(unnest(
            CASE WHEN type = 'email' AND regexp_matches(value, {dividers}) THEN string_split_regex(value, {dividers})
            ELSE [value] END
        )) AS part
    FROM cells
)
SELECT
    row_number() OVER () AS value_id,
    type,
    value,
    region,
    part,
    observations,
    CASE
        WHEN type IN ('email', 'phone') THEN plain_identifier(type, part, region) ELSE id_form(type, part)
    END AS normal
FROM parts
WHERE part <> ''
