-- Every statement once: what a record says again, in whatever file, is the same one. An empty cell says nothing.
-- `effective_at` ranks statements of one subject. A grant is no newer than the change of the record that first held it,
-- nor than when we learnt it, whatever date somebody typed; without a date it is older than everything. A refusal that
-- names a day speaks until that day ends in the zone of its source. A refusal without a date, or with one in the future,
-- counts from when we learnt it, and where a later yes might lift it, from when we last learnt it.
-- A date before 1971 stands for none: programs write 1970-01-01, 1900-01-01 and the like where they have no date. A row is
-- no newer than when it came, whatever clock dated it.
-- `asserted_at` is when the record first made a refusal: the addresses that it had then, and those it has had since, are
-- what one without an address is about. Of a grant it is when a user id or a device last said so: it may be another
-- person's since. A row that changes says it as of its change, others as of the statement's date, or of their arrival.
-- A record that is gone grants nothing more, whether or not its own source states consents.
-- That a row names a record is asked behind a window: DuckDB moves a WHERE into the scans, and plans it for each file.
-- What a form is recalled for stays so where another file says it again without naming the form.
-- A statement that names several e-mails in one cell is one about each.
-- Who was erased is known by keyed hashes of addresses and ids. A grant that names one, or whose record has one, is stopped
-- (`erasure_id`), unless it is the person's own word, of that address, and from after the erasure. Without the key nothing
-- is computed.
-- What is `restated` all the time is one statement from change to change: that of its rows that we learnt of first.
WITH versions AS (
    SELECT *, {
            'at': coalesce(updated_at, _loaded_at), 'sequence': coalesce(sequence, -99999999999999999999999999999999999999),
            'loaded_at': _loaded_at, 'file_id': _file_id, 'row': _row
        } AS version
    FROM (
        SELECT * REPLACE (
            CASE WHEN updated_at >= TIMESTAMPTZ '1971-01-01 00:00:00+00' THEN least(updated_at, _loaded_at) END AS updated_at,
            CASE WHEN stated_at >= TIMESTAMPTZ '1971-01-01 00:00:00+00' THEN stated_at END AS stated_at
        )
        FROM mapped.consents
    )
    QUALIFY CASE WHEN record IS NOT NULL THEN row_number() OVER () END IS NOT NULL
),
deletions AS (
    SELECT source, record, max(version) AS version, arg_max(version.at, version) AS deleted_at
    FROM (
        SELECT source, record, version FROM versions WHERE deleted
        UNION ALL
        SELECT source, record, {
                'at': coalesce(
                    CASE WHEN updated_at >= TIMESTAMPTZ '1971-01-01 00:00:00+00' THEN least(updated_at, _loaded_at) END,
                    _loaded_at
                ),
                'sequence': coalesce(sequence, -99999999999999999999999999999999999999),
                'loaded_at': _loaded_at, 'file_id': _file_id, 'row': _row
            }
        FROM mapped.carried_addresses
        WHERE deleted AND record IS NOT NULL
    )
    GROUP BY source, record
),
recalls AS (
    SELECT kind, target, arg_max(recalled, (_loaded_at, _file_id, _row)) AS recalled,
        arg_max(recalled_at, (_loaded_at, _file_id, _row)) AS recalled_at
    FROM raw.consent_recalls
    GROUP BY kind, target
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
    SELECT v.* REPLACE (CASE WHEN restated THEN least(stated_at, updated_at, _loaded_at) ELSE stated_at END AS stated_at),
        coalesce(by_file.recalled_at, by_source.recalled_at) AS recalled_at, by_form.recalled_at AS form_recalled_at
    FROM versions AS v
    LEFT JOIN recalls AS by_file ON by_file.kind = 'file' AND by_file.target = v._file_id AND by_file.recalled
    LEFT JOIN recalls AS by_source ON by_source.kind = 'source' AND by_source.target = v.source AND by_source.recalled
    LEFT JOIN recalls AS by_form ON by_form.kind = 'form' AND by_form.target = v.form AND by_form.recalled
    WHERE granted IS NOT NULL AND NOT (granted AND deleted IS TRUE) AND purpose IS NOT NULL AND channel IS NOT NULL
),
every_statement AS (
    SELECT source, record, address, purpose, channel, granted, stated_at, policy_version,
        coalesce(restated, false) AS restated, coalesce(bool_or(own_word AND address IS NOT NULL), false) AS own_word,
        arg_max(identifier_type, version) AS identifier_type, arg_max(identifier_value, version) AS identifier_value,
        max(time_zone) AS time_zone, max(version) AS latest_version,
        min(_loaded_at) AS learnt_at, max(_loaded_at) AS last_learnt_at,
        min(least(updated_at, _loaded_at)) AS changed_at,
        max(CASE WHEN restated THEN stated_at ELSE least(coalesce(updated_at, stated_at, _loaded_at), _loaded_at) END)
            AS last_said_at,
        CASE
            WHEN bool_and(form_recalled_at IS NOT NULL) FILTER (form IS NOT NULL) OR bool_and(is_recalled)
                THEN greatest(max(recalled_at), max(form_recalled_at))
        END AS recalled_at,
        arg_min(_file_id, (is_recalled, _loaded_at, _file_id, _row)) AS file_id,
        arg_min(_row, (is_recalled, _loaded_at, _file_id, _row)) AS "row",
        arg_min(form, (is_recalled, _loaded_at, _file_id, _row)) AS form
    FROM (
        SELECT * REPLACE (unnest(coalesce(string_split(address, '|'), [CAST(NULL AS VARCHAR)])) AS address),
            recalled_at IS NOT NULL OR form_recalled_at IS NOT NULL AS is_recalled
        FROM stated
    )
    GROUP BY ALL
),
changes AS (
    SELECT *, row(granted, policy_version, recalled_at IS NOT NULL)
        IS DISTINCT FROM lag(row(granted, policy_version, recalled_at IS NOT NULL)) OVER in_time AS is_change
    FROM every_statement
    WHERE restated
    WINDOW in_time AS (
        PARTITION BY source, record, address, purpose, channel ORDER BY stated_at, granted DESC, policy_version
    )
),
runs AS (
    SELECT * EXCLUDE (is_change), sum(CAST(is_change AS INTEGER)) OVER in_time AS run
    FROM changes
    WINDOW in_time AS (
        PARTITION BY source, record, address, purpose, channel ORDER BY stated_at, granted DESC, policy_version
    )
),
statements AS (
    SELECT * FROM every_statement WHERE NOT restated
    UNION ALL BY NAME
    SELECT source, record, address, purpose, channel, granted, arg_min(stated_at, (learnt_at, stated_at)) AS stated_at,
        policy_version, true AS restated, false AS own_word, arg_max(identifier_type, latest_version) AS identifier_type,
        arg_max(identifier_value, latest_version) AS identifier_value, max(time_zone) AS time_zone,
        max(latest_version) AS latest_version, min(learnt_at) AS learnt_at, max(last_learnt_at) AS last_learnt_at,
        min(changed_at) AS changed_at, max(last_said_at) AS last_said_at, max(recalled_at) AS recalled_at,
        arg_min(file_id, (learnt_at, stated_at)) AS file_id, arg_min("row", (learnt_at, stated_at)) AS "row",
        arg_min(form, (learnt_at, stated_at)) AS form
    FROM runs
    GROUP BY source, record, address, purpose, channel, granted, policy_version, run
),
dated AS (
    SELECT *,
        NOT restated AND coalesce(stated_at AT TIME ZONE time_zone = date_trunc('day', stated_at AT TIME ZONE time_zone), false)
            AS day_only,
        NOT granted AND coalesce(stated_at > learnt_at, true) AS by_learning,
        CASE WHEN granted THEN least(stated_at, changed_at) END AS granted_from
    FROM statements
),
newest_grants AS (
    SELECT *, max(CASE WHEN stated_at IS NOT NULL THEN granted_from END) OVER (
        PARTITION BY purpose, channel, address, CASE WHEN address IS NULL THEN source END,
            CASE WHEN address IS NULL THEN record END
    ) AS newest_grant
    FROM dated
),
erased_subjects AS (
    SELECT g.type, g.value, e.erasure_id, e.erased_at
    FROM (
        SELECT 'address' AS type, address AS value FROM statements WHERE granted AND address IS NOT NULL
        UNION
        SELECT identifier_type, identifier_value FROM statements WHERE granted AND identifier_value IS NOT NULL
    ) AS g
    JOIN erasures AS e ON e.subject_hash = subject_hash(g.type, g.value)
)
SELECT
    'k_' || left(sha256(concat_ws(chr(31), s.source, s.record, coalesce(s.address, chr(30)), s.purpose, s.channel,
        s.granted, coalesce(CAST(epoch_us(s.stated_at) AS VARCHAR), chr(30)), coalesce(s.policy_version, chr(30)))), 20)
        AS consent_id,
    i.customer_id, s.purpose, s.channel, s.granted, s.stated_at, s.source, s.record, s.address, s.learnt_at,
    CASE
        WHEN s.granted AND s.stated_at IS NULL THEN NULL
        WHEN s.granted THEN s.granted_from
        WHEN s.by_learning AND s.newest_grant > s.learnt_at THEN s.last_learnt_at
        WHEN s.by_learning THEN s.learnt_at
        WHEN s.day_only THEN
            (s.stated_at AT TIME ZONE s.time_zone + INTERVAL 1 DAY) AT TIME ZONE s.time_zone - INTERVAL 1 MICROSECOND
        ELSE s.stated_at
    END AS effective_at,
    CASE
        WHEN NOT s.granted THEN least(s.stated_at, s.learnt_at, s.changed_at)
        WHEN s.identifier_type IN ('user_id', 'anonymous_id') THEN s.last_said_at
    END AS asserted_at,
    s.day_only, s.policy_version,
    CASE WHEN s.granted AND d.version >= s.latest_version THEN d.deleted_at END AS ended_at,
    s.recalled_at, s.file_id, s."row", s.form, s.own_word,
    CASE
        WHEN NOT s.granted OR (s.own_word AND s.granted_from > greatest(by_address.erased_at, by_record.erased_at)
            AND s.stated_at IS NOT NULL) THEN NULL
        ELSE coalesce(by_address.erasure_id, by_record.erasure_id)
    END AS erasure_id
FROM newest_grants AS s
LEFT JOIN deletions AS d USING (source, record)
LEFT JOIN core.identities AS i USING (identifier_type, identifier_value)
LEFT JOIN erased_subjects AS by_address ON s.granted AND by_address.type = 'address' AND by_address.value = s.address
LEFT JOIN erased_subjects AS by_record
    ON s.granted AND by_record.type = s.identifier_type AND by_record.value = s.identifier_value
-- where the key is not there, nothing would equal a hash: that is an error, not nobody
WHERE (SELECT any_value(needs_hash_key(subject_hash)) FROM erasures) IS DISTINCT FROM ''
