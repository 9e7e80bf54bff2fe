-- The smallest checkpoint of the meta log over an entry, what was attested of it and of later ones, and what was
-- stated to be dropped of a record's log. Columns that a row has no use for are empty.
SELECT 'meta' AS what, size, note, '' AS token_hex, [''] AS hashes, log_id, log_offset
FROM
(
    SELECT size, note, log_id, log_offset FROM {database:Identifier}.checkpoints
    WHERE origin = {meta_origin:String} AND size > {above:Int64} ORDER BY size LIMIT 1
)
UNION ALL
SELECT 'attestation', size, note, if(isNull(token), '', hex(assumeNotNull(token))), [''], '', 0
FROM
(
    SELECT size, note, token FROM {database:Identifier}.attestations
    WHERE origin = {meta_origin:String} AND size > {above:Int64} ORDER BY size, log_offset LIMIT 1000
)
UNION ALL
SELECT 'pruned', minimum_index, '', '', arrayMap(root -> hex(root), frontier), '', 0
FROM
(
    SELECT minimum_index, frontier FROM {database:Identifier}.prunings
    WHERE origin = {origin:String} ORDER BY minimum_index DESC LIMIT 1
)
