-- The tables that keep records, and their columns: known by the columns that every record has.
SELECT table, name, type
FROM system.columns
WHERE database = {database:String}
    AND table IN (
        SELECT table FROM system.columns WHERE database = {database:String} AND name = 'leaf_hash'
    )
    AND table IN (
        SELECT name FROM system.tables WHERE database = {database:String} AND engine NOT LIKE '%View'
    )
ORDER BY table, position
