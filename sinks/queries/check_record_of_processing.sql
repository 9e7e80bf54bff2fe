-- Combinations of purpose, category of data, category of recipient and country that happened, and that no line of the
-- controller's record of processing activities has. Without a record there is nothing to compare with.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    said AS
    (
        SELECT argMax(body, (broker_time, offset)) AS line
        FROM {database:Identifier}.references
        WHERE kind = 'ProcessingRegistered' AND upper(controller_id) = {controller:String}
        GROUP BY JSONExtractString(body, 'processing_ref')
    ),
    lines AS
    (
        SELECT
            JSONExtractString(line, 'purpose') AS purpose,
            JSONExtract(line, 'data_categories', 'Array(String)') AS categories,
            JSONExtract(line, 'recipient_categories', 'Array(String)') AS recipients,
            JSONExtract(line, 'countries', 'Array(String)') AS countries,
            parseDateTime64BestEffortOrNull(JSONExtractString(line, 'valid_from'), 6, 'UTC') AS begins,
            parseDateTime64BestEffortOrNull(JSONExtractString(line, 'valid_to'), 6, 'UTC') AS ends
        FROM said
    ),
    happened AS
    (
        SELECT
            ifNull(events.purpose, '') AS done_for,
            arrayJoin(data_categories) AS category,
            ifNull(tupleElement(events.recipient, 'category'), '') AS received_by,
            ifNull(
                coalesce(
                    tupleElement(events.transfer, 'destination_country'),
                    tupleElement(events.recipient, 'processing_country')
                ),
                ''
            ) AS country,
            min(occurred_at) AS first_at
        FROM {database:Identifier}.events AS events
        WHERE topic = {topic:String} AND occurred_at <= clock AND outcome NOT IN ('DENIED', 'FAILED')
        GROUP BY done_for, category, received_by, country
    )
SELECT
    concat(done_for, '/', category, '/', received_by, '/', country) AS about,
    '' AS subject,
    any(first_at) AS since,
    CAST([], 'Array(Tuple(String, String, String))') AS facts
FROM happened
LEFT JOIN lines ON lines.purpose = happened.done_for
WHERE (SELECT count() FROM said) > 0
GROUP BY done_for, category, received_by, country
HAVING countIf(
    lines.purpose != ''
    AND (empty(lines.categories) OR has(lines.categories, category))
    AND (received_by IN ('', 'UNKNOWN') OR empty(lines.recipients) OR has(lines.recipients, received_by))
    AND (country = '' OR empty(lines.countries) OR has(lines.countries, country))
    AND (begins IS NULL OR begins <= first_at)
    AND (ends IS NULL OR first_at < ends)
) = 0
ORDER BY about
