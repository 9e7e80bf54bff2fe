-- All that was signed about one record of a log, in one row: an answer has its price, whatever it holds. Each list has
-- one entry or none, attestations have any number.
WITH
    (
        SELECT groupArray((origin, size, note, base, meta_index))
        FROM
        (
            SELECT origin, size, note, base, meta_index FROM {database:Identifier}.checkpoints
            WHERE origin = {origin:String} AND size > {index:Int64} ORDER BY size LIMIT 1
        )
    ) AS log,
    (
        SELECT groupArray((log_id, toInt64(leaf_index), offset, timestamp_type, at, key_hex, hex(raw), hex(headers)))
        FROM
        (
            SELECT
                log_id, leaf_index, offset, timestamp_type, toUnixTimestamp64Milli(broker_time) AS at,
                if(isNull(key), NULL, hex(assumeNotNull(key))) AS key_hex, raw, headers
            FROM {database:Identifier}.schemas
            WHERE fingerprint = {fingerprint:String} ORDER BY broker_time, offset LIMIT 1
        )
    ) AS schema,
    (
        SELECT groupArray((origin, size, note, base, meta_index))
        FROM
        (
            SELECT origin, size, note, base, meta_index FROM {database:Identifier}.checkpoints
            WHERE origin = schema[1].1 AND size > schema[1].2 ORDER BY size LIMIT 1
        )
    ) AS schema_log,
    greatest(log[1].5, schema_log[1].5) AS above,
    (
        SELECT groupArray((origin, size, note, base, meta_index))
        FROM
        (
            SELECT origin, size, note, base, meta_index FROM {database:Identifier}.checkpoints
            WHERE origin = {meta_origin:String} AND size > above ORDER BY size LIMIT 1
        )
    ) AS meta,
    (
        SELECT groupArray((size, note, if(isNull(token), '', hex(assumeNotNull(token)))))
        FROM
        (
            SELECT size, note, token FROM {database:Identifier}.attestations
            WHERE origin = {meta_origin:String} AND size > above ORDER BY size, log_offset LIMIT 1000
        )
    ) AS attestations,
    (
        SELECT groupArray((minimum_index, arrayMap(root -> hex(root), frontier)))
        FROM
        (
            SELECT minimum_index, frontier FROM {database:Identifier}.prunings
            WHERE origin = {origin:String} ORDER BY minimum_index DESC LIMIT 1
        )
    ) AS pruned
SELECT log, schema, schema_log, meta, attestations, pruned
