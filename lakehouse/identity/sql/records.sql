-- identity_records: every record that carries something, counted from 0 in the order of (source, record).
-- grain: source, record
CREATE OR REPLACE TEMP TABLE identity_records AS
SELECT
    row_number() OVER (ORDER BY source, record) - 1 AS record_id,
    dense_rank() OVER (ORDER BY source) - 1 AS source_id,
    source,
    record
FROM (SELECT DISTINCT source, record FROM identity_said)
