-- What a schema registry calls a schema: messages in its framing name nothing else.
ALTER TABLE {database:Identifier}.schemas
    ADD COLUMN IF NOT EXISTS registry_id Nullable(Int64)
