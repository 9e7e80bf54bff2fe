-- The schemas that records were written with, as they were said; what was said first holds.
SELECT hex(any(raw)) AS raw_hex
FROM {database:Identifier}.schemas
GROUP BY name, text, registry_id
ORDER BY min(broker_time), min(offset)
