-- Whether the packs that are said to be in force include the code of conduct. Where none is said to be, nothing is told.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    said AS
    (
        SELECT
            upper(JSONExtractString(body, 'pack')) AS pack,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_from'), 6, 'UTC'), (broker_time, offset)) AS begins,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_to'), 6, 'UTC'), (broker_time, offset)) AS ends
        FROM {database:Identifier}.references
        WHERE kind = 'PolicyPackInForce' AND upper(controller_id) = {controller:String}
        GROUP BY pack
    )
SELECT
    'CODE_OF_CONDUCT' AS about,
    '' AS subject,
    maxIf(assumeNotNull(ends), pack = 'CODE_OF_CONDUCT') AS since,
    CAST([], 'Array(Tuple(String, String, String))') AS facts
FROM said
HAVING count() > 0
    AND countIf(pack = 'CODE_OF_CONDUCT' AND ifNull(begins <= clock, 1) AND ifNull(clock < ends, 1)) = 0
