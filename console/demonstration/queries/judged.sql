-- Which offsets of which events partition were judged, as runs that may overlap.
SELECT topic, partition, arraySort(groupArray((first_offset, last_offset))) AS runs
FROM {database:Identifier}.judged
GROUP BY topic, partition
