"""Says what the codes of AuditEvents mean in our vocabulary: FHIR, DICOM, HL7 v3 and ISO 21089 terms.

A code that is not here is not guessed: its word is kept and the field says OTHER, or it stays unknown.
"""

from __future__ import annotations

EVENTS: dict[str, tuple[str, str | None]] = {
    # most telling first: the order of this table decides when a resource has several codes
    "110107": ("CollectionEvent", "COLLECT"),  # DICOM Import: the receiving end of a disclosure
    "disclose": ("DisclosureEvent", "DISCLOSE"),  # ISO 21089 lifecycle
    "110106": ("DisclosureEvent", "EXPORT"),  # DICOM Export
    "transmit": ("DisclosureEvent", "SEND"),
    "receive": ("CollectionEvent", "COLLECT"),
    "originate": ("CollectionEvent", "COLLECT"),
    "AuthZ-Consent": ("AccessEvent", "REQUEST"),  # BALP: may they see it
    "110122": ("AccessEvent", "PROCESS"),  # DICOM Login
    "110123": ("AccessEvent", "PROCESS"),  # DICOM Logout
    "110114": ("AccessEvent", "PROCESS"),  # DICOM User Authentication
    "search": ("AccessEvent", "SEARCH"),
    "search-type": ("AccessEvent", "SEARCH"),
    "search-system": ("AccessEvent", "SEARCH"),
    "110112": ("AccessEvent", "SEARCH"),  # DICOM Query
    "read": ("AccessEvent", "READ"),
    "vread": ("AccessEvent", "READ"),
    "history": ("AccessEvent", "READ"),
    "history-instance": ("AccessEvent", "READ"),
    "access": ("AccessEvent", "READ"),
    "110103": ("AccessEvent", "READ"),  # DICOM Instances Accessed
    "create": ("ProcessingEvent", "CREATE"),
    "update": ("ProcessingEvent", "UPDATE"),
    "patch": ("ProcessingEvent", "UPDATE"),
    "amend": ("ProcessingEvent", "UPDATE"),
    "delete": ("ProcessingEvent", "ERASE"),
    "destroy": ("ProcessingEvent", "ERASE"),
    "110105": ("ProcessingEvent", "ERASE"),  # DICOM Study Deleted
    "archive": ("ProcessingEvent", "ARCHIVE"),
    "deidentify": ("ProcessingEvent", "ANONYMISE"),
    "pseudonymize": ("ProcessingEvent", "PSEUDONYMISE"),
    "110104": ("ProcessingEvent", "SEND"),  # DICOM Instances Transferred
    "SOLE113": ("ProcessingEvent", "SEND"),  # IHE RAD, Study Transferred
}

LOGINS = frozenset({"110122", "110123", "110114"})
AUTHORISATIONS = frozenset({"AuthZ-Consent", "110113", *LOGINS})

BY_ACTION: dict[str, tuple[str, str]] = {
    "C": ("ProcessingEvent", "CREATE"),
    "R": ("AccessEvent", "READ"),
    "U": ("ProcessingEvent", "UPDATE"),
    "D": ("ProcessingEvent", "ERASE"),
    "E": ("ProcessingEvent", "PROCESS"),
}

OUTCOMES = {
    "0": "SUCCESS",
    "success": "SUCCESS",
    "information": "SUCCESS",
    "warning": "SUCCESS",
    "4": "FAILED",
    "8": "FAILED",
    "12": "FAILED",
    "error": "FAILED",
    "fatal": "FAILED",
}

PURPOSES = {  # HL7 v3 ActReason, PurposeOfUse
    "TREAT": "TREATMENT",
    "ETREAT": "TREATMENT",
    "BTG": "TREATMENT",
    "CLINTRCH": "RESEARCH",
    "CAREMGT": "CARE_COORDINATION",
    "COC": "CARE_COORDINATION",
    "HPAYMT": "PAYMENT",
    "CLMATTCH": "CLAIMS_HANDLING",
    "COVAUTH": "CLAIMS_HANDLING",
    "COVERAGE": "CONTRACT_ADMINISTRATION",
    "ELIGDTRM": "APPLICATION_ASSESSMENT",
    "ELIGVER": "CONTRACT_ADMINISTRATION",
    "ENROLLM": "CONTRACT_ADMINISTRATION",
    "REMITADV": "PAYMENT",
    "PATRQT": "RIGHTS_REQUEST",
    "PATADMIN": "CONTRACT_ADMINISTRATION",
    "FRAUD": "FRAUD_PREVENTION",
    "HRESCH": "RESEARCH",
    "RESEARCH": "RESEARCH",
    "HMARKT": "MARKETING",
    "HLEGAL": "LEGAL_CLAIMS",
    "HSYSADMIN": "IT_OPERATIONS",
    "HQUALIMP": "QUALITY_TRAINING",
    "TRAIN": "QUALITY_TRAINING",
    "HOUTCOMS": "STATISTICS",
    "PUBHLTH": "PREVENTION",
    "HCOMPL": "LEGAL_COMPLIANCE",
    "LABELING": "RECORDS_MANAGEMENT",
    "MEMADMIN": "CONTRACT_ADMINISTRATION",
}
BREAK_GLASS = frozenset({"BTG"})

CATEGORIES: dict[str, tuple[str, ...]] = {  # by type of the resource that was touched
    "Observation": ("MEDICAL_REPORT", "HEALTH_PHYSICAL"),
    "DiagnosticReport": ("MEDICAL_REPORT", "HEALTH_PHYSICAL"),
    "ImagingStudy": ("MEDICAL_REPORT", "HEALTH_PHYSICAL"),
    "Condition": ("HEALTH_PHYSICAL",),
    "Procedure": ("HEALTH_PHYSICAL",),
    "MedicationRequest": ("HEALTH_PHYSICAL",),
    "MedicationStatement": ("HEALTH_PHYSICAL",),
    "MedicationAdministration": ("HEALTH_PHYSICAL",),
    "AllergyIntolerance": ("HEALTH_PHYSICAL",),
    "Immunization": ("HEALTH_HISTORY",),
    "FamilyMemberHistory": ("HEALTH_HISTORY", "FAMILY_RELATION"),
    "MolecularSequence": ("GENETIC",),
    "Claim": ("CLAIM",),
    "ClaimResponse": ("CLAIM",),
    "ExplanationOfBenefit": ("CLAIM", "PAYOUT"),
    "Coverage": ("POLICY",),
    "Invoice": ("PAYMENT",),
    "Communication": ("CORRESPONDENCE",),
}
REPORT_ROLE = "3"  # object-role, Report

DESTINATION = "110152"  # DICOM Destination Role ID
SYSTEM_AGENTS = frozenset({"110150", "110152", "110153", "authserver", "custodian"})
HUMAN_AGENTS = frozenset({"AUT", "INF", "CST", "IRCP", "ENT", "UserSamlAgent", "UserOauthAgent", "humanuser"})
HUMANS = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person"})
ORGANISATION_AGENTS = frozenset({"PROV", "110155", "homeCommunityId"})
REQUEST_ID = "XrequestId"  # BALP
