-- The checkpoints that were there before; ClickHouse does it in its own time, and a proof asks the table until then.
ALTER TABLE {database:Identifier}.checkpoints MATERIALIZE PROJECTION by_log
