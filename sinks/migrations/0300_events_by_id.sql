-- A proof asks for the place of an event by its id: in this order that is one range of a part, however many rows it has.
ALTER TABLE {database:Identifier}.events
    ADD PROJECTION IF NOT EXISTS by_id
    (
        SELECT event_id, log_id, leaf_index, broker_time, schema_fingerprint
        ORDER BY event_id
    )
    WITH SETTINGS (index_granularity = 1024)
