-- Events that stand in two logs of topics of one name: a topic made again that repeats what was said.
SELECT topic AS name, count() AS events
FROM
(
    SELECT topic, event_id
    FROM {database:Identifier}.events
    WHERE topic IN {topics:Array(String)}
    GROUP BY topic, event_id
    HAVING uniqExact(splitByChar('/', log_id)[4]) > 1
)
GROUP BY name
ORDER BY name
