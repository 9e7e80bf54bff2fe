-- Agreements, instruments, certifications and adequacy decisions in force that end within so many days; what was ended
-- earlier, or was said to last longer, is not among them.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    stated AS
    (
        SELECT
            kind,
            multiIf(
                kind = 'AgreementSigned', JSONExtractString(body, 'agreement_ref'),
                kind = 'InstrumentSigned', JSONExtractString(body, 'instrument_ref'),
                kind = 'DpfCertification', JSONExtractString(body, 'org_id'),
                JSONExtractString(body, 'country')
            ) AS ref,
            argMax(fact_id, (broker_time, offset)) AS fact_id,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_to'), 6, 'UTC'), (broker_time, offset)) AS ends
        FROM {database:Identifier}.references
        WHERE kind IN ('AgreementSigned', 'InstrumentSigned', 'DpfCertification', 'AdequacyDecisionRegistered')
            AND upper(controller_id) IN ({controller:String}, 'LAW')
        GROUP BY kind, ref
    ),
    ended AS
    (
        SELECT
            transform(
                kind,
                ['AgreementEnded', 'InstrumentEnded', 'DpfCertificationEnded', 'AdequacyDecisionEnded'],
                ['AgreementSigned', 'InstrumentSigned', 'DpfCertification', 'AdequacyDecisionRegistered'],
                ''
            ) AS kind,
            multiIf(
                references.kind = 'AgreementEnded', JSONExtractString(body, 'agreement_ref'),
                references.kind = 'InstrumentEnded', JSONExtractString(body, 'instrument_ref'),
                references.kind = 'DpfCertificationEnded', JSONExtractString(body, 'org_id'),
                JSONExtractString(body, 'country')
            ) AS ref
        FROM {database:Identifier}.references
        WHERE endsWith(references.kind, 'Ended') AND upper(controller_id) IN ({controller:String}, 'LAW')
    )
SELECT
    concat(kind, ':', ref) AS about,
    '' AS subject,
    ends - toIntervalDay({days:UInt32}) AS since,
    [(kind, ref, fact_id)] AS facts
FROM stated
WHERE since <= clock AND clock < ends AND (kind, ref) NOT IN (ended)
ORDER BY ends, about
