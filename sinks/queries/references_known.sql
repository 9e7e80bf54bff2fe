-- The reference facts that were known at a broker time (milliseconds since 1970), as the bytes that were produced.
SELECT 'reference' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
FROM {database:Identifier}.references
WHERE topic IN {topics:Array(String)}
    AND toUnixTimestamp64Milli(broker_time) <= {known_at:Int64}
ORDER BY broker_time, topic, partition, offset
