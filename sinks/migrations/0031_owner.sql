-- The owner brings tables up to date and lets whole partitions expire (ALTER DELETE). It rewrites no row, drops no
-- table and empties none. A server may ask for a grant for each engine and each table of system.
GRANT
    SELECT, INSERT, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP VIEW,
    ALTER COLUMN, ALTER INDEX, ALTER CONSTRAINT, ALTER SETTINGS, ALTER VIEW, ALTER DELETE
    ON {database:Identifier}.*,
    TABLE ENGINE ON MergeTree,
    SELECT ON system.user_directories,
    SELECT ON system.parts
TO {role_owner:Identifier}
