-- identity_match_ties: pairs that look like one person, by the numbers of their records.
-- grain: one, other
CREATE OR REPLACE TEMP TABLE identity_match_ties AS
SELECT l.record_id AS one, r.record_id AS other, m.weight_bits
FROM {pairs} AS m
JOIN identity_records AS l ON l.source || ' ' || l.record = m.left_record
JOIN identity_records AS r ON r.source || ' ' || r.record = m.right_record
