-- {target}: every value that an identifier's slot of a record has had, and whether it has it still.
-- Of a slot the newest statement counts, by the source's clock, then by arrival; a newer empty one clears it. Of two that
-- came together, for one time, the empty one says less. Where
-- every value counts, none is ever superseded. Blanks around values are gone.
-- grain: source, record, slot, value, region ('' unless a phone has one); value is null where the slot was cleared
CREATE OR REPLACE TEMP TABLE {target} AS
WITH stated AS (
    SELECT
        o.source::VARCHAR AS source,
        o.record::VARCHAR AS record,
        o.slot::VARCHAR AS slot,
        o.type::VARCHAR AS type,
        nullif({trimmed}, '') AS value,
        CASE WHEN o.type::VARCHAR = 'phone' THEN coalesce(upper(trim(o.region::VARCHAR)), '') ELSE '' END AS region,
        bool_or(o.own) AS own,
        bool_or(o.every) AS every,
        bool_or(o.alias) AS alias,
        min(coalesce(o.said_at, o.loaded_at)) AS first_said_at,
        min({
            'said_at': coalesce(o.said_at, o.loaded_at), 'loaded_at': o.loaded_at, 'file_id': o.file_id, 'row': o.row
        }) AS first_said,
        max({
            'said_at': coalesce(o.said_at, o.loaded_at), 'loaded_at': o.loaded_at, 'says': {trimmed} <> '' IS TRUE,
            'file_id': o.file_id, 'row': o.row
        }) AS last_said,
        count(*) AS observations
    FROM (SELECT * REPLACE (value::VARCHAR AS value) FROM {observations}) AS o
    WHERE o.record IS NOT NULL AND o.type::VARCHAR <> 'person'  -- what it says of its person is read elsewhere
    GROUP BY ALL
),
dated AS (
    SELECT
        *,
        lag(last_said.said_at) OVER statements AS before_at,
        greatest(last_said.said_at, lead(first_said_at) OVER statements) AS next_at,
        lead(first_said_at) OVER statements IS NULL AS is_last
    FROM stated
    WHERE NOT every
    WINDOW statements AS (PARTITION BY source, record, slot ORDER BY last_said)
    QUALIFY count(value) OVER (PARTITION BY source, record, slot) > 0  -- what was never there was not cleared
)
SELECT source, record, slot, type, value, region, own, every, alias, first_said_at, first_said_at AS since,
    NULL::TIMESTAMPTZ AS until, first_said, last_said, observations
FROM stated
WHERE every AND value IS NOT NULL
UNION ALL BY NAME
SELECT * EXCLUDE (before_at, next_at, is_last), greatest(first_said_at, before_at) AS since,
    CASE WHEN NOT is_last THEN next_at END AS until
FROM dated
