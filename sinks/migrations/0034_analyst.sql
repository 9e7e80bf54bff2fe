GRANT SELECT ON {database:Identifier}.* TO {role_analyst:Identifier}
