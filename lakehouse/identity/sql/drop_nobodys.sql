-- What is no user's ties nothing, and neither do the devices of a record that such an id names.
DELETE FROM identity_links AS l
WHERE l.identifier IN (FROM identity_nobodys)
    OR (l.every AND l.record_id IN (
        SELECT n.record_id FROM identity_links AS n WHERE n.own AND n.identifier IN (FROM identity_nobodys)
    ))
