-- One dead letter with its original bytes. An identifier may be shortened; two rows say that it is too short.
SELECT
    dead_letter_id,
    any(controller_id) AS controller_id,
    arraySort(groupUniqArray(stage)) AS stages,
    argMax(reason, log_offset) AS reason,
    argMax(message, log_offset) AS message,
    any(topic) AS topic,
    any(partition) AS partition,
    any(offset) AS offset,
    any(timestamp) AS timestamp,
    max(broker_time) AS said_at,
    argMax(tuple(if(isNull(key), NULL, hex(assumeNotNull(key)))), log_offset).1 AS key_hex,
    argMax(tuple(if(isNull(value), NULL, hex(assumeNotNull(value)))), log_offset).1 AS value_hex,
    argMax(
        arrayMap(header -> (header.key, if(isNull(header.value), NULL, hex(assumeNotNull(header.value)))), headers),
        log_offset
    ) AS headers_hex
FROM {database:Identifier}.dead_letters
WHERE startsWith(dead_letter_id, {identifier:String})
GROUP BY dead_letter_id
ORDER BY dead_letter_id
LIMIT 2
