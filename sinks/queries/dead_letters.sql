-- Dead letters, newest first; several stages may have refused the same record, and a replay may say it again.
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
    max(broker_time) AS said_at
FROM {database:Identifier}.dead_letters
GROUP BY dead_letter_id
ORDER BY said_at DESC, dead_letter_id
LIMIT {limit:UInt64}
