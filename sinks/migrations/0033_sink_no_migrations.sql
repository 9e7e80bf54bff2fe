-- What was done to the tables is not for the sink to say.
REVOKE INSERT ON {database:Identifier}.migrations FROM {role_sink:Identifier}
