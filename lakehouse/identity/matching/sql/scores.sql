-- match_scores: pairs that weigh enough, with what each comparison adds; a comparison that does not count is left out.
-- grain: left_record, right_record
CREATE OR REPLACE TEMP TABLE match_scores AS
WITH sides AS (
    SELECT p.*, {sides}
    FROM {predicted} AS p
    JOIN {features} AS l ON l.record = p.record_l
    JOIN {features} AS r ON r.record = p.record_r
)
SELECT
    record_l AS left_record,
    record_r AS right_record,
    match_weight AS weight_bits,
    list_reverse_sort(list_filter([{parts}], lambda part: part.level IS NOT NULL)) AS explanation
FROM sides
