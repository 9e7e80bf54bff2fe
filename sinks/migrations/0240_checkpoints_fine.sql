-- A proof reads few checkpoints at a time, whose notes and subtrees are wide: a granule of them is short. Nothing else
-- asks by log and size, so the indexes that came before the projection are only in the way of planning.
ALTER TABLE {database:Identifier}.checkpoints
    DROP PROJECTION IF EXISTS by_log,
    DROP INDEX IF EXISTS by_origin,
    DROP INDEX IF EXISTS by_size
