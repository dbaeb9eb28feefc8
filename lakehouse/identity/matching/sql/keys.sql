-- match_keys: what records have in common that may be one person; each key joins statements, so that few share it.
-- grain: record, key
-- In Chinese a family name says little: there it is joined with a birth date or a door only.
CREATE OR REPLACE TEMP TABLE match_keys AS
WITH parts AS (
    SELECT
        *,
        coalesce(sound, full_name) AS name,
        coalesce(street, estate) AS road,
        CASE WHEN NOT han THEN family END AS western_family,
        CASE WHEN NOT han THEN given END AS western_given,
        CASE WHEN region IS NULL THEN street END AS western_road,
        CASE WHEN NOT coalesce(han, false) AND region IS NULL THEN birth END AS western_birth,
        coalesce(nullif(left(region, 4), '0000'), postcode, locality) AS place
    FROM {features}
),
texts AS (
    SELECT record, unnest([
        'phone|' || phone,
        'email|' || email,
        'name, year|' || name || '|' || left(birth, 4),
        'name, day|' || name || '|' || right(birth, 4),
        'name, place|' || name || '|' || place,
        'name, road|' || name || '|' || road,
        'birth, family|' || birth || '|' || left(family, 1),
        'birth, place|' || birth || '|' || place,
        'birth, road|' || birth || '|' || road,
        'door, family|' || road || '|' || number || '|' || family,
        'birth, given|' || birth || '|' || left(western_given, 1),
        'birth, number|' || western_birth || '|' || number,
        'birth, locality|' || western_birth || '|' || left(locality, 5),
        'door|' || western_road || '|' || number,
        'family, month|' || western_family || '|' || left(birth, 6),
        'given, month|' || western_given || '|' || left(birth, 6),
        'family, day|' || western_family || '|' || right(birth, 4),
        'given, day|' || western_given || '|' || right(birth, 4),
        'family, postcode|' || western_family || '|' || postcode,
        'given, postcode|' || western_given || '|' || postcode,
        'family, locality|' || western_family || '|' || left(locality, 6),
        'given, locality|' || western_given || '|' || left(locality, 6),
        'family, road|' || western_family || '|' || left(western_road, 8),
        'given, road|' || western_given || '|' || left(western_road, 8),
        'road, postcode|' || left(western_road, 6) || '|' || postcode,
        'number, postcode|' || number || '|' || postcode || '|' || left(locality, 3)
    ]) AS text
    FROM parts
)
SELECT DISTINCT record, (md5_number_lower(text) >> 1)::BIGINT AS key
FROM texts
WHERE text IS NOT NULL
