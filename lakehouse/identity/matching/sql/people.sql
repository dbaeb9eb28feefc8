-- match_people: what of a record is compared.
-- grain: record; inputs: the caller's people, match_names (name, given_name, surname), match_addresses (address)
-- null wherever nothing is said
CREATE OR REPLACE TEMP TABLE match_people AS
WITH plain AS (
    SELECT
        p.record,
        n.han,
        n.full_name,
        n.sound,
        n.family,
        n.given,
        n.gender,
        n.words,
        n.said_family,
        n.said_given,
        n.generation,
        -- of eight digits, valid or not: a slip of the pen is compared as it is
        nullif(regexp_replace(left(p.birth_date, 10), '[^0-9]', '', 'g'), '') AS birth,
        -- what is no valid number is compared by its digits
        CASE WHEN p.phone LIKE '+%' THEN p.phone ELSE nullif(regexp_replace(p.phone, '[^0-9]', '', 'g'), '') END AS phone,
        nullif(p.email, '') AS email,
        a.region,
        coalesce(nullif(lower(trim(p.street_number)), ''), a.number) AS number,
        a.street,
        a.unit,
        a.estate,
        coalesce(nullif(lower(replace(p.suburb, ' ', '')), ''), nullif(lower(replace(p.city, ' ', '')), ''), replace(a.locality, ' ', '')) AS locality,
        coalesce(nullif(replace(lower(p.postcode), ' ', ''), ''), a.postcode) AS postcode
    FROM ({people}) AS p
    LEFT JOIN match_names AS n USING (name, given_name, surname)
    LEFT JOIN match_addresses AS a ON a.address = p.address
)
SELECT * REPLACE (
    CASE WHEN length(birth) = 8 AND birth NOT IN ('19000101', '19700101', '00010101', '18991230') THEN birth END AS birth
)
FROM plain
