-- Who there is: one role for each thing that is done with the trail. Users are the operator's, and are given a role.
CREATE ROLE IF NOT EXISTS
    {role_owner:Identifier},
    {role_sink:Identifier},
    {role_sealer:Identifier},
    {role_analyst:Identifier},
    {role_verifier:Identifier}
