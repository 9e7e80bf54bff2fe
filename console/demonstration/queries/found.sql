-- Every verdict on an activity that is not OK, as it stands now.
SELECT event_id, rule_id, result
FROM {database:Identifier}.violations
