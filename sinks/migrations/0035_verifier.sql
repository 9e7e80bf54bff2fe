-- The verifier reads the trail, and what may hide or change a row: parts, mutations, row policies.
GRANT
    SELECT ON {database:Identifier}.*,
    SHOW ROW POLICIES ON *.*,
    SELECT ON system.tables,
    SELECT ON system.columns,
    SELECT ON system.parts,
    SELECT ON system.mutations,
    SELECT ON system.row_policies
TO {role_verifier:Identifier}
