-- matches_new: the rows of core.matches: pairs of records that look like one person, and what came of it.
-- grain: left_source, left_record, right_source, right_record
-- standing: `tied`: they are one customer; `apart`: somebody said that they are two; `denied`: what they, or others of
-- their customers, say of names and birth dates contradicts; `review`: a person should look
CREATE OR REPLACE TEMP TABLE matches_new AS
SELECT
    l.source AS left_source,
    l.record AS left_record,
    r.source AS right_source,
    r.record AS right_record,
    m.weight_bits,
    CASE
        WHEN lp.component = rp.component THEN 'tied'
        WHEN w.verdict = 'two' THEN 'apart'
        WHEN m.weight_bits >= $automatic_bits OR d.one IS NOT NULL THEN 'denied'
        ELSE 'review'
    END AS standing,
    m.explanation,
    m.left_said,
    m.right_said
FROM {pairs} AS m
JOIN identity_records AS l ON l.source || ' ' || l.record = m.left_record
JOIN identity_records AS r ON r.source || ' ' || r.record = m.right_record
JOIN identity_people AS lp ON lp.record_id = l.record_id
JOIN identity_people AS rp ON rp.record_id = r.record_id
LEFT JOIN identity_words AS w
    ON w.one_record = least(l.record_id, r.record_id) AND w.other_record = greatest(l.record_id, r.record_id)
LEFT JOIN identity_match_denied AS d ON d.one = l.record_id AND d.other = r.record_id
