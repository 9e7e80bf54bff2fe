-- The events of one upstream system.
SELECT DISTINCT event_id
FROM {database:Identifier}.events
WHERE source_system = {source:String}
