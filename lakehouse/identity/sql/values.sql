-- identity_values: every distinct value once, with its normal form where no library is needed.
-- `plain_identifier` is of `lakehouse.engine.normal_forms`.
-- grain: type, value, region
-- normal: text, or NULL for an e-mail or phone that a library must judge
CREATE OR REPLACE TEMP TABLE identity_values AS
WITH compact AS (
    SELECT type, value, region, sum(observations) AS observations
    FROM identity_observed
    GROUP BY ALL
)
SELECT
    row_number() OVER () AS value_id,
    type,
    value,
    region,
    observations,
    CASE WHEN type IN ('email', 'phone') THEN plain_identifier(type, value, region) ELSE value END AS normal
FROM compact
