-- The owner also decides in which orders a table lies.
GRANT ALTER PROJECTION ON {database:Identifier}.* TO {role_owner:Identifier}
