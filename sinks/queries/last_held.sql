-- The highest offset held of a log, and of how many records.
SELECT toInt64(max(offset)) AS last, count() AS records
FROM {database:Identifier}.log
WHERE log_id = {log_id:String}
