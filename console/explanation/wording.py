"""Keeps every sentence of an explanation, and how the things it speaks of are called."""

from __future__ import annotations

TITLE = "{rule}: {result}, severity {severity}"
VERDICT = "Verdict {verdict_id} of {pack} {pack_version} for {controller}."
RESULTS = {
    "VIOLATION": "violation",
    "WARNING": "warning",
    "OK": "complies",
    "NOT_EVALUABLE": "could not be judged",
}

WHAT_HAPPENED = "What happened"
HAPPENED = "On {when}, {actor} {did}{subject}{recipient}."
ACTOR = "{who}{role}{organisation}"
SOMEBODY, SYSTEM = "somebody", "a system"
ROLE, OF_ORGANISATION = " in the role {role}", " at {organisation}"
LOOKING_FROM = " from {country}"
SUBJECT = " of the person known as {reference}{relation}"
RECIPIENT = ", to {recipient}{category}"
RECIPIENT_UNKNOWN = "a recipient that is not named"
IN_COUNTRY = "established in {country}"
PROCESSING_IN = "processing in {country}"
DID = {
    "AccessEvent": "looked at data",
    "DisclosureEvent": "disclosed data",
    "TransferEvent": "transferred data",
    "CollectionEvent": "collected data",
    "ProcessingEvent": "processed data",
    "DecisionEvent": "took a decision on the data",
    "RegisterEntryEvent": "entered data in a register",
    "RegisterQueryEvent": "looked up data in a register",
}
DID_OTHER = "did what is recorded as '{event}' with data"
FACT_SAID = "On {when} it was recorded that: {kind}, about the person known as {reference}."
NOT_FOUND = "The record that was judged is not in the trail."
CATEGORIES = "Data concerned: {categories}."
NO_CATEGORIES = "Which data were concerned is not stated."
PURPOSE_AND_BASIS = "Purpose stated: {purpose}; legal basis stated: {basis}{special}."
SPECIAL = "; for special categories: {basis}"
TRANSFER = "Destination: {destination}; transfer instrument stated: {instrument}."
REFERRED_TO = "It refers to {references}."
NOT_STATED = "none"

PROMISED = "What was promised"
PROMISE = 'Under "{heading}" the notice says, in our words: {promise}'
ARTICLES = "GDPR, article {articles}."
ASSUMED = "This is assumed: the notice refers to paragraph {paragraph}, which it does not have."

WHY = {
    "VIOLATION": "Why this breaks the promise",
    "WARNING": "Why this deserves a look",
    "OK": "Why this keeps the promise now",
    "NOT_EVALUABLE": "Why this could not be judged",
}
WHY_OK = "Judged again with what is known by now, the entry finds nothing wrong. What it looks for: {explanation}"
WHY_NOT_EVALUABLE = (
    "The event, or what is known beside it, does not say enough. What the entry looks for: {explanation}"
)
REASON = "Reason code: {reason}."
NO_ENTRY = "The pack at hand has no entry {rule}; heading and promise are those that the verdict carries."
OTHER_PACK = "The pack has changed since: it is {now} now."

RESTS_ON = "What it rests on"
SOUGHT_IN_VAIN = "Looked for, and nothing was known that bears on it: {families}."
RESTS_ON_NOTHING = "On what the event says alone: no fact was used."
FACT = "{family} {key}: {statement}, {interval}; {known}."
STATED_AS = "{kind} ({version}){states}"
LAW_AS_SHIPPED = "the law as it ships with the product ({version})"
STATEMENT_MISSING = "statement {version}, which is not in the trail"
KNOWN_SINCE = "known since {when}"
KNOWN_LATE = "known since {when}, after the event"
KNOWN_WITH_LAW = "known before any event"
KNOWN_UNKNOWN = "since when it was known cannot be told"
HISTORY = "before that: {statements}"

INTERVAL = {
    (False, False): "holding without stated limits",
    (True, False): "holding from {begin} on",
    (False, True): "holding until {end}",
    (True, True): "holding from {begin} until {end}",
}

EARLIER = "Earlier verdicts"
SUPERSEDED = "{result} ({verdict_id}), until {when}: {why}"
BY_FACT = "then {kind} of {key} ({version}) became known"
BY_CLOCK = "then time had passed"
COMPLIED, NOTHING_WRITTEN = "complied", "nothing is written of what complies"
NO_LONGER_STANDS = "This verdict no longer stands: {verdict_id} took its place on {when} and says {result}."

REMEDY = "What would have made it lawful"
REMEDY_EXAMPLES = "The entry's own examples of what complies:"
REMEDY_UNKNOWN = "The entry does not say."

PROOF = "How to prove it"
PROVE = "inzage prove {event_id}"
SHOWS_RECORD = "shows that the record of the event stands in the trail as it was said, and when."
PROVE_LATER = "It was judged from a file and stands in no trail; once said, `inzage prove {event_id}` proves it."

FAMILIES = {
    "consents": "consent",
    "emergencies": "emergency",
    "enrolments": "enrolment at employer",
    "fraud_cases": "fraud case",
    "applications": "application",
    "objections": "objection",
    "authority_requests": "request of an authority",
    "mandates": "mandate",
    "restrictions": "restriction",
    "holds": "legal hold",
    "cases": "case",
    "records": "record",
    "requests": "request of the person",
    "org": "organisation",
    "agreements": "agreement",
    "instruments": "transfer instrument",
    "dpf": "Data Privacy Framework certification",
    "shield": "Privacy Shield certification",
    "matrix": "entry of the role matrix",
    "template": "template",
    "interest": "assessment of a legitimate interest",
    "consent_rule": "rule on consent",
    "adequacy": "adequacy decision",
}
"""What a family of facts is called; others by their own words."""
