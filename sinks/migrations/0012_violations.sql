-- What does not comply, as it stands now: violations, warnings and what could not be evaluated.
CREATE VIEW IF NOT EXISTS {database:Identifier}.violations AS
SELECT *
FROM {database:Identifier}.current_verdicts
WHERE result IN ('VIOLATION', 'WARNING', 'NOT_EVALUABLE')
