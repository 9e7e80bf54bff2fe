-- The newest revision of each verdict: what holds now for an event and an entry of the pack.
CREATE VIEW IF NOT EXISTS {database:Identifier}.current_verdicts AS
SELECT *
FROM {database:Identifier}.verdicts
ORDER BY revision DESC, log_offset DESC
LIMIT 1 BY controller_id, event_id, rule_id
