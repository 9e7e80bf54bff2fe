-- The instants at which time alone may change how something of the range is judged.
ALTER TABLE {database:Identifier}.judged
    ADD COLUMN IF NOT EXISTS deadlines Array(Tuple(
        offset Int64,
        at DateTime64(6, 'UTC')))
