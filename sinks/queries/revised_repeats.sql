-- Events about some persons that stand more than once in one log: the offsets of each.
SELECT arraySort(groupArray(offset)) AS offsets
FROM {database:Identifier}.events
WHERE log_id = {log_id:String} AND subject.pseudonym IN {subjects:Array(String)}
GROUP BY event_id
HAVING count() > 1
