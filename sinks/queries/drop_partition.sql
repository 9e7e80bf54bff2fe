-- Takes one month of one topic out of a table, whole.
ALTER TABLE {database:Identifier}.{table:Identifier} DROP PARTITION ({topic:String}, {month:UInt32})
