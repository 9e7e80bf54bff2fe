-- Packs of a product, a country or a channel that are said to be in force, and that the controller's packs do not include.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    said AS
    (
        SELECT
            upper(JSONExtractString(body, 'pack')) AS pack,
            argMax(fact_id, (broker_time, offset)) AS fact_id,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_from'), 6, 'UTC'), (broker_time, offset)) AS begins,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_to'), 6, 'UTC'), (broker_time, offset)) AS ends
        FROM {database:Identifier}.references
        WHERE kind = 'PolicyPackInForce' AND upper(controller_id) = {controller:String}
        GROUP BY pack
    )
SELECT
    pack AS about,
    '' AS subject,
    ifNull(begins, clock) AS since,
    [('PolicyPackInForce', pack, fact_id)] AS facts
FROM said
WHERE pack NOT IN {packs:Array(String)} AND ifNull(begins <= clock, 1) AND ifNull(clock < ends, 1)
ORDER BY about
