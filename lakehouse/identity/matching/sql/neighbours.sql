-- pairs of records with the same road and house number in one place, other names, and both birth dates
WITH named AS (
    SELECT
        record,
        full_name,
        birth,
        concat_ws('|', coalesce(street, estate), number, coalesce(left(region, 4), postcode, locality)) AS door
    FROM {features}
    WHERE full_name IS NOT NULL AND birth IS NOT NULL AND coalesce(street, estate) IS NOT NULL AND number IS NOT NULL
),
few AS (
    SELECT door FROM named GROUP BY door HAVING count(*) BETWEEN 2 AND $largest_block
)
SELECT a.full_name, b.full_name, a.birth, b.birth
FROM named AS a
JOIN named AS b ON a.door = b.door AND a.record < b.record
WHERE a.door IN (FROM few) AND a.full_name <> b.full_name
ORDER BY md5(a.record || b.record)
LIMIT $pairs
