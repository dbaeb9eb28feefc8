-- identity_records: every record that carries something, counted from 0 in no particular order.
-- grain: source, record
CREATE OR REPLACE TEMP TABLE identity_records AS
SELECT row_number() OVER () - 1 AS record_id, source, record
FROM (SELECT DISTINCT source, record FROM identity_observed)
