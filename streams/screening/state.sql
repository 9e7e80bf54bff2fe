-- What the engine knows beside the batch: dossiers of persons, references, counters. One database per controller.
-- Join tables: the last row of a key wins and joinGet reads it. Every time is UTC; the far future stands for "open".
CREATE DATABASE {db};

CREATE TABLE {db}.dossier (
    subject String,
    consents Array(Tuple(ref String, explicit Bool, given_at DateTime64(6, 'UTC'), withdrawn_at DateTime64(6, 'UTC'), expires_at DateTime64(6, 'UTC'), recipients Array(String), any_recipient Bool, categories Array(String), any_category Bool, purposes Array(String), any_purpose Bool, countries Array(String), any_country Bool, risk_informed Bool, rightful Bool, known_from Int64, known_to Int64)),
    emergencies Array(Tuple(ref String, type String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), certified Bool, certified_at DateTime64(6, 'UTC'), incapable Nullable(Bool), known_from Int64, known_to Int64)),
    enrolments Array(Tuple(employer_id String, plan String, country_of_work String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    fraud_cases Array(Tuple(ref String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), documented Bool, claims Array(String), known_from Int64, known_to Int64)),
    applications Array(Tuple(ref String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    objections Array(Tuple(ref String, purposes Array(String), any_purpose Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    authority_requests Array(Tuple(ref String, items Array(String), known_from Int64, known_to Int64))
) ENGINE = Join(ANY, LEFT, subject) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.derogation (
    key String,
    seen Array(Tuple(known Int64, at DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.org (
    org_id String,
    own Bool,
    group_of String,
    category String,
    country String,
    acts_for_employer_id String,
    international String,
    public_body UInt8,
    pipeda UInt8,
    appi UInt8,
    pipa UInt8,
    dpf Array(Tuple(from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'))),
    shield Array(Tuple(from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'))),
    agreements Array(Tuple(ref String, processor Bool, signed Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), categories Array(String), any_category Bool, purposes Array(String), any_purpose Bool)),
    listed_as_subprocessor Array(Tuple(ref String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'))),
    instruments Array(Tuple(ref String, type String, module UInt8, exporter_ours Bool, importer_role String, signed_at DateTime64(6, 'UTC'), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), assessed Bool, assessed_until DateTime64(6, 'UTC'), member Bool))
) ENGINE = Join(ANY, LEFT, org_id) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.matrix (
    org_id String,
    role String,
    purpose String,
    entries Array(Tuple(allow Bool, categories Array(String), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, org_id, role, purpose) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.template (
    plan String,
    purpose String,
    items Array(String)
) ENGINE = Join(ANY, LEFT, plan, purpose) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.classification (
    key String,
    health_revealing Array(String)
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.consent_rule (
    key String,
    rules Array(Tuple(country String, category String, recipient String, product String, required Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.interest (
    purpose String,
    assessments Array(Tuple(ref String, passed Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, purpose) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.international_agreement (
    ref String,
    terms Array(Tuple(from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, ref) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.country (
    code String,
    listed Bool,
    in_eea_until DateTime64(6, 'UTC'),
    in_eu_until DateTime64(6, 'UTC'),
    adequacy Array(Tuple(scope String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, code) SETTINGS join_any_take_last_row = 1;

CREATE TABLE {db}.setting (
    name String,
    value Float64,
    list Array(String)
) ENGINE = Join(ANY, LEFT, name) SETTINGS join_any_take_last_row = 1;
