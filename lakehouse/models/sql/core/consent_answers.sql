-- A subject is an address, of statements that name one, else a record. Its refusal stands until it says yes later itself.
-- A refusal covers the address it names, or those that its record has now; where the record has none, every address of
-- its customer. A grant covers likewise, for the customer of its record alone, and nothing where the record has no
-- address. An address is allowed that a grant covers and no refusal.
-- A refusal stays with the addresses that its record had when it was made, or since, and has no more: of those it yields
-- to a later grant, whoever's.
-- A grant of a user id or a device covers nothing when there was a moment since at which none of its record's addresses
-- stayed, of any kind (`handed_over_at`): whoever has the id now is somebody else.
-- Of who was erased, which keyed hashes tell, a grant covers an address only as their own word of it, said since: a list
-- that is imported again allows nothing, nor lifts a refusal.
-- A record leaves an address when, after it last named it, it first or last names another in its place, or none.
-- What another source's rows add to a record that one describes is there for refusals alone: they may be out of date.
-- A cell with several e-mails carries each of them. A row is no newer than when it came, and a date before 1971 is none.
-- Conditions on mapped rows stand in the aggregate: DuckDB moves a WHERE into the scans, and plans it for each file.
WITH named AS (
    SELECT source, record, identifier_type AS kind, slot, identifier_value AS cell,
        min(version) FILTER (counts) AS first_version, max(version) FILTER (counts) AS last_version,
        bool_or(lends IS NOT FALSE) AS lends
    FROM (
        SELECT *, said AND deleted IS NOT TRUE AND record IS NOT NULL AS counts,
            {
                'at': coalesce(
                    CASE WHEN updated_at >= TIMESTAMPTZ '1971-01-01 00:00:00+00' THEN least(updated_at, _loaded_at) END,
                    _loaded_at
                ),
                'sequence': coalesce(sequence, -99999999999999999999999999999999999999),
                'loaded_at': _loaded_at, 'file_id': _file_id, 'row': _row
            } AS version
        FROM mapped.carried_addresses
    )
    GROUP BY source, record, identifier_type, slot, identifier_value
),
mentions AS (
    SELECT *, unnest(list_distinct([first_version, last_version])) AS version FROM named WHERE last_version IS NOT NULL
),
held AS (
    SELECT *, lead(version) OVER (PARTITION BY source, record, kind, slot ORDER BY version) AS left_version
    FROM mentions
    QUALIFY version = last_version
),
slots AS (
    SELECT source, record, kind, unnest(string_split(cell, '|')) AS address, first_version.at AS first_at,
        left_version.at AS left_at, lends
    FROM held
    WHERE cell IS NOT NULL
),
addresses AS (
    SELECT source, record, kind, address, min(first_at) AS first_at,
        CASE WHEN count(*) = count(left_at) THEN max(left_at) END AS left_at,
        coalesce(bool_or(lends) FILTER (left_at IS NULL), false) AS lends
    FROM slots
    GROUP BY ALL
),
successions AS (
    SELECT source, record, first_at, max(coalesce(left_at, 'infinity')) OVER (
        PARTITION BY source, record ORDER BY first_at, coalesce(left_at, 'infinity')
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS others_left_at
    FROM addresses
),
handed_over AS (
    SELECT source, record, max(others_left_at) AS handed_over_at
    FROM successions
    WHERE first_at >= others_left_at
    GROUP BY source, record
),
erasing AS (
    SELECT subject_hash, erasure_id, arg_max(least(erased_at, _loaded_at), (_loaded_at, _file_id, _row)) AS erased_at
    FROM raw.consent_erasures
    GROUP BY subject_hash, erasure_id
    HAVING arg_max(erased, (_loaded_at, _file_id, _row))
),
erasures AS (
    SELECT subject_hash, max(erased_at) AS erased_at,
        arg_max(erasure_id, (erased_at, erasure_id)) AS erasure_id
    FROM erasing
    GROUP BY subject_hash
),
stated AS (
    SELECT *,
        CASE channel WHEN 'email' THEN 'email' WHEN 'sms' THEN 'phone' WHEN 'phone' THEN 'phone' WHEN 'whatsapp' THEN 'phone'
            WHEN 'wecom' THEN 'wecom_external_userid' END
            AS kind,
        coalesce(address, source) AS subject, CASE WHEN address IS NULL THEN record END AS subject_record
    FROM core.consents
    WHERE NOT granted OR (ended_at IS NULL AND recalled_at IS NULL)
),
weighed AS (
    SELECT *, max(effective_at) FILTER (NOT granted) OVER of_subject AS refused_at,
        coalesce(max(effective_at) FILTER (granted AND erasure_id IS NULL) OVER of_subject
            > max(effective_at) FILTER (NOT granted) OVER of_subject, false) AS lifted
    FROM stated
    WINDOW of_subject AS (PARTITION BY subject, subject_record, purpose, channel)
),
counting AS (
    SELECT * FROM weighed
    WHERE CASE WHEN granted THEN refused_at IS NULL OR effective_at > refused_at OR erasure_id IS NOT NULL ELSE NOT lifted END
),
present AS (
    SELECT source, record, a.kind, a.address, a.lends, h.handed_over_at
    FROM addresses AS a
    LEFT JOIN handed_over AS h USING (source, record)
    WHERE a.left_at IS NULL
),
covered AS (
    SELECT c.customer_id, c.purpose, c.channel, c.granted, c.effective_at, c.consent_id, c.own_word, c.erasure_id,
        coalesce(
            c.address, CASE WHEN c.granted AND (c.asserted_at < a.handed_over_at OR NOT a.lends) THEN NULL ELSE a.address END,
            CASE WHEN NOT c.granted THEN '' END
        ) AS covered
    FROM counting AS c
    LEFT JOIN present AS a
        ON a.source = c.source AND a.record = c.subject_record AND a.kind = c.kind
),
former AS (
    SELECT a.address, c.purpose, c.channel, max(c.effective_at) AS refused_at,
        arg_max(c.consent_id, (c.effective_at, c.consent_id)) AS consent_id
    FROM counting AS c
    JOIN addresses AS a
        ON a.source = c.source AND a.record = c.subject_record AND a.kind = c.kind AND a.left_at > c.asserted_at
    WHERE NOT c.granted
    GROUP BY ALL
),
refusals AS (
    SELECT covered AS address, CASE WHEN covered = '' THEN customer_id END AS customer_id, purpose, channel,
        arg_max(consent_id, (effective_at, consent_id)) AS consent_id
    FROM covered
    WHERE NOT granted
    GROUP BY ALL
),
erased_addresses AS (
    SELECT a.covered, e.erasure_id, e.erased_at
    FROM (SELECT DISTINCT covered FROM covered WHERE granted AND covered IS NOT NULL) AS a
    JOIN erasures AS e ON e.subject_hash = subject_hash('address', a.covered)
),
stopped AS (
    SELECT c.* EXCLUDE (granted, erasure_id), c.granted AND c.erasure_id IS NULL AND (
            e.erasure_id IS NULL OR coalesce(c.own_word AND c.effective_at > e.erased_at, false)
        ) AS granted, coalesce(c.erasure_id, CASE WHEN c.granted THEN e.erasure_id END) AS erasure_id
    FROM covered AS c
    LEFT JOIN erased_addresses AS e USING (covered)
),
asked AS (
    SELECT customer_id, covered AS address, purpose, channel, max(effective_at) FILTER (granted) AS granted_at,
        arg_max(consent_id, (coalesce(effective_at, TIMESTAMPTZ '0001-01-01 00:00:00+00'), consent_id))
            FILTER (granted) AS grant_id,
        max(erasure_id) FILTER (NOT granted) AS erasure_id
    FROM stopped
    WHERE customer_id IS NOT NULL AND covered IS NOT NULL
    GROUP BY ALL
)
SELECT q.customer_id, q.address, q.purpose, q.channel,
    q.grant_id IS NOT NULL AND here.consent_id IS NULL AND everywhere.consent_id IS NULL AND earlier.consent_id IS NULL AS allowed,
    CASE
        WHEN q.grant_id IS NULL AND q.erasure_id IS NOT NULL THEN q.erasure_id
        ELSE coalesce(here.consent_id, everywhere.consent_id, earlier.consent_id, q.grant_id)
    END AS consent_id,
    q.grant_id IS NULL AND q.erasure_id IS NOT NULL AS erased
FROM asked AS q
LEFT JOIN refusals AS here
    ON here.address = q.address AND here.purpose = q.purpose AND here.channel = q.channel AND here.address <> ''
LEFT JOIN refusals AS everywhere
    ON everywhere.customer_id = q.customer_id AND everywhere.purpose = q.purpose AND everywhere.channel = q.channel
LEFT JOIN former AS earlier
    ON earlier.address = q.address AND earlier.purpose = q.purpose AND earlier.channel = q.channel
    AND (q.granted_at IS NULL OR q.granted_at <= earlier.refused_at)
-- where the key is not there, nothing would equal a hash: that is an error, not nobody
WHERE (SELECT any_value(needs_hash_key(subject_hash)) FROM erasures) IS DISTINCT FROM ''
