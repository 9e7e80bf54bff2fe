-- Numbers that a source gave out and that stand nowhere, in runs. The view knows where numbers stand.
SELECT name, instance, last_before + 1 AS first_missing, number - 1 AS last_missing
FROM
(
    SELECT
        name,
        instance,
        number,
        lagInFrame(number, 1, toInt64(0)) OVER (
            PARTITION BY name, instance ORDER BY number ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        ) AS last_before
    FROM (SELECT DISTINCT topic AS name, source AS instance, number FROM {database:Identifier}.numbered)
)
WHERE number > last_before + 1
ORDER BY name, instance, number
