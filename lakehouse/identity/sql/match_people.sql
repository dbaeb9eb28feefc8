-- {target}: what is compared of each record that says who it is. Its addresses are those that it carries now.
-- grain: record, which is `source record`: a source has no blank in its name
-- said: fingerprint of all of it
CREATE OR REPLACE TEMP TABLE {target} AS
WITH addresses AS (
    SELECT
        source,
        record,
        min(normal) FILTER (type = 'phone') AS phone,
        min(normal) FILTER (type = 'email') AS email
    FROM ({carried})
    WHERE type IN ('phone', 'email') AND until IS NULL AND NOT placeholder
    GROUP BY source, record
),
people AS (
    SELECT
        d.source || ' ' || d.record AS record,
        d.source,
        {name} AS name,
        {first_name} AS given_name,
        {last_name} AS surname,
        strftime({birth_date}::DATE, '%Y%m%d') AS birth_date,
        -- a city in Chinese says where a street is, or all that is known
        CASE
            WHEN regexp_matches({city}, '\p{Han}') AND NOT coalesce(contains({address}, left({city}, 2)), false)
                THEN concat({city}, {address})
            ELSE {address}
        END AS address,
        CASE WHEN NOT regexp_matches({city}, '\p{Han}') THEN {city} END AS city,  -- else it would count twice
        {country} AS country,
        a.phone,
        a.email
    FROM {described} AS d
    SEMI JOIN {records} AS r USING (source, record)
    LEFT JOIN addresses AS a USING (source, record)
)
SELECT *, {fingerprint} AS said
FROM people
