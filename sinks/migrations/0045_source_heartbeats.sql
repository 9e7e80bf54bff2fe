-- Heartbeats by the source they are of, named as in the view `numbered`.
CREATE VIEW IF NOT EXISTS {database:Identifier}.source_heartbeats AS
SELECT
    topic,
    broker_time,
    source_system,
    source_instance,
    last_sequence,
    at,
    ended,
    period,
    if(endsWith(source_instance, concat('/', topic)), source_instance, concat(source_system, '/', source_instance)) AS source
FROM {database:Identifier}.heartbeats
