-- The sink appends, and reads what stands. The sealer gets nothing: it reads Kafka, and what it signs comes in here.
GRANT SELECT, INSERT ON {database:Identifier}.* TO {role_sink:Identifier}
