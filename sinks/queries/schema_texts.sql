-- The schemas that others wrote with.
SELECT DISTINCT name, text
FROM {database:Identifier}.schemas
