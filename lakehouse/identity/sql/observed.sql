-- identity_observed: the observations, read once; blanks around values and repetitions gone.
-- grain: source, record, type, value, region ('' unless a phone has one)
CREATE OR REPLACE TEMP TABLE identity_observed AS
SELECT
    o.source::VARCHAR AS source,
    o.record::VARCHAR AS record,
    o.type::VARCHAR AS type,
    trim(o.value::VARCHAR, $blanks) AS value,
    CASE WHEN o.type::VARCHAR = 'phone' THEN coalesce(upper(trim({region}::VARCHAR)), '') ELSE '' END AS region,
    min(o.seen_at::TIMESTAMPTZ) AS first_seen_at,
    max(o.seen_at::TIMESTAMPTZ) AS last_seen_at,
    count(*) AS observations
FROM {observations} AS o
WHERE trim(o.value::VARCHAR, $blanks) <> ''
GROUP BY ALL
