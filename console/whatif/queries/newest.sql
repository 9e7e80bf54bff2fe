-- How much there is, and the newest that did not happen after it was said: a source's clock may be wrong.
SELECT count() AS rows, maxIf(occurred_at, occurred_at <= broker_time) AS newest
FROM {database:Identifier}.events
WHERE topic = {topic:String}
