-- The events that were there before; ClickHouse does it in its own time, and asks the old way until then.
ALTER TABLE {database:Identifier}.events MATERIALIZE PROJECTION by_id
