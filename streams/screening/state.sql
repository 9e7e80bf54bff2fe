-- What the engine knows beside the batch: dossiers of persons, references, counters. One database per controller.
-- Join tables: the last row of a key wins and joinGet reads it; not persistent, or each INSERT would leave a file.
-- Every time is UTC; the far future stands for "open".
CREATE DATABASE {db};

CREATE TABLE {db}.dossier (
    subject String,
    held UInt64,
    consents Array(Tuple(ref String, explicit Bool, given_at DateTime64(6, 'UTC'), withdrawn_at DateTime64(6, 'UTC'), expires_at DateTime64(6, 'UTC'), recipients Array(String), any_recipient Bool, categories Array(String), any_category Bool, purposes Array(String), any_purpose Bool, countries Array(String), any_country Bool, risk_informed Bool, rightful Bool, known_from Int64, known_to Int64)),
    emergencies Array(Tuple(ref String, type String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), certified Bool, certified_at DateTime64(6, 'UTC'), incapable Nullable(Bool), country String, known_from Int64, known_to Int64)),
    enrolments Array(Tuple(employer_id String, plan String, country_of_work String, service String, policyholder String, role_linked Nullable(Bool), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    fraud_cases Array(Tuple(ref String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), documented Bool, claims Array(String), known_from Int64, known_to Int64)),
    applications Array(Tuple(ref String, product String, partner String, initiated_by String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    objections Array(Tuple(ref String, purposes Array(String), any_purpose Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), withdrawn_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    authority_requests Array(Tuple(ref String, items Array(String), known_from Int64, known_to Int64)),
    mandates Array(Tuple(ref String, representative String, parental Bool, formal Bool, categories Array(String), any_category Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    restrictions Array(Tuple(ref String, scope String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    products Array(Tuple(ref String, product String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    cases Array(Tuple(ref String, type String, opened_at DateTime64(6, 'UTC'), closed_at DateTime64(6, 'UTC'), assigned Array(Tuple(actor String, at DateTime64(6, 'UTC'))), providers Array(String), known_from Int64, known_to Int64)),
    staff_links Array(Tuple(actor String, link String, known_from Int64, known_to Int64)),
    person Array(Tuple(born Nullable(Date32), country String, home String, vip Bool, known_from Int64, known_to Int64)),
    records Array(Tuple(ref String, category String, rule String, until Nullable(DateTime64(6, 'UTC')), by_day Bool, state String, known_from Int64, known_to Int64)),
    erasures Array(Tuple(ref String, erased_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    breach_steps Array(Tuple(ref String, told Bool, at DateTime64(6, 'UTC'), reasoned Bool, known_from Int64, known_to Int64)),
    holds Array(Tuple(ref String, record String, matter String, type String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), review_at DateTime64(6, 'UTC'), reviewed_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    requests Array(Tuple(ref String, type String, channel String, destination String, verified Nullable(Bool), received_at DateTime64(6, 'UTC'), extended_at DateTime64(6, 'UTC'), fulfilled_at DateTime64(6, 'UTC'), refused_at DateTime64(6, 'UTC'), informed_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    terminations Array(Tuple(ref String, at DateTime64(6, 'UTC'), run_off_until Nullable(DateTime64(6, 'UTC')), known_from Int64, known_to Int64)),
    recipients_to_be_told Array(Tuple(ref String, org String, change String, owed_from DateTime64(6, 'UTC'), disproportionate Bool, known_from Int64, known_to Int64)),
    recipients_told Array(Tuple(ref String, org String, told_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    register_entries Array(Tuple(ref String, register String, entered_at DateTime64(6, 'UTC'), expires_at DateTime64(6, 'UTC'), known_from Int64, known_to Int64)),
    enquiries Array(Tuple(ref String, asked_at DateTime64(6, 'UTC'), unsecured Bool, special Bool, known_from Int64, known_to Int64)),
    notices Array(Tuple(ref String, delivered_at DateTime64(6, 'UTC'), sources Array(String), known_from Int64, known_to Int64))
) ENGINE = Join(ANY, LEFT, subject) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.count (
    key String,
    seen Array(Tuple(known Int64, at DateTime64(6, 'UTC'), who String))
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1, persistent = 0;

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
    agreements Array(Tuple(ref String, processor Bool, signed Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), categories Array(String), any_category Bool, items Array(String), any_item Bool, purposes Array(String), any_purpose Bool)),
    listed_as_subprocessor Array(Tuple(ref String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'))),
    instruments Array(Tuple(ref String, type String, module UInt8, exporter_ours Bool, importer_role String, signed_at DateTime64(6, 'UTC'), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC'), assessed Bool, assessed_until DateTime64(6, 'UTC'), member Bool))
) ENGINE = Join(ANY, LEFT, org_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.matrix (
    org_id String,
    role String,
    purpose String,
    entries Array(Tuple(allow Bool, categories Array(String), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, org_id, role, purpose) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.template (
    plan String,
    purpose String,
    items Array(String)
) ENGINE = Join(ANY, LEFT, plan, purpose) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.classification (
    key String,
    health_revealing Array(String)
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.consent_rule (
    key String,
    rules Array(Tuple(country String, category String, recipient String, product String, required Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.interest (
    purpose String,
    assessments Array(Tuple(ref String, passed Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, purpose) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.international_agreement (
    ref String,
    terms Array(Tuple(from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, ref) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.country (
    code String,
    listed Bool,
    in_eea_until DateTime64(6, 'UTC'),
    in_eu_until DateTime64(6, 'UTC'),
    majority UInt8,
    adequacy Array(Tuple(scope String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, code) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.setting (
    name String,
    value Float64,
    list Array(String)
) ENGINE = Join(ANY, LEFT, name) SETTINGS join_any_take_last_row = 1, persistent = 0;

-- Registers: what held when, by key (streams/dossier/registers.py).
CREATE TABLE {db}.staff (
    actor_id String,
    entries Array(Tuple(org String, unit String, role String, secrecy_at DateTime64(6, 'UTC'), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, actor_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.partner (
    org_id String,
    entries Array(Tuple(product String, published Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, org_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.item_template (
    kind String,
    key String,
    entries Array(Tuple(name String, product String, items Array(String), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, kind, key) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.wall (
    from_unit String,
    to_unit String,
    entries Array(Tuple(category String, deny Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, from_unit, to_unit) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.channel_policy (
    key String,
    entries Array(Tuple(channels Array(String), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.retention_override (
    record_id String,
    entries Array(Tuple(law String, source String, approver String, reason String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, record_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.entitlement (
    source_id String,
    entries Array(Tuple(ref String, ground String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, source_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.provision (
    ref String,
    entries Array(Tuple(jurisdiction String, national_id Bool, recipients Array(String), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, ref) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.anonymisation (
    ref String,
    entries Array(Tuple(k Nullable(Int64), approved Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, ref) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.breach (
    violation_ref String,
    entries Array(Tuple(ref String, at DateTime64(6, 'UTC'), notifiable Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, violation_ref) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.authority_notice (
    breach_ref String,
    entries Array(Tuple(at DateTime64(6, 'UTC'), reasoned Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, breach_ref) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.break_glass_review (
    event_id String,
    entries Array(Tuple(by String, at DateTime64(6, 'UTC'), from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, event_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.client_system (
    system String,
    entries Array(Tuple(approved Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, system) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.health_role (
    role String,
    entries Array(Tuple(description String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, role) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.engagement (
    org_id String,
    entries Array(Tuple(ref String, confidential Bool, categories Array(String), any_category Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, org_id) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.deal (
    ref String,
    entries Array(Tuple(stage String, parties Array(String), secret Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, ref) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.retention_rule (
    category String,
    entries Array(Tuple(ref String, period String, approved Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, category) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.pack_in_force (
    key String,
    entries Array(Tuple(pack String, version String, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, key) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.notice (
    country String,
    entries Array(Tuple(version String, material Bool, from DateTime64(6, 'UTC'), to DateTime64(6, 'UTC')))
) ENGINE = Join(ANY, LEFT, country) SETTINGS join_any_take_last_row = 1, persistent = 0;

CREATE TABLE {db}.registry (
    name String,
    loaded Bool
) ENGINE = Join(ANY, LEFT, name) SETTINGS join_any_take_last_row = 1, persistent = 0;
