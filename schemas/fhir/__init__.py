"""Import of FHIR AuditEvents: R4 (IHE Basic Audit Log Patterns) and R5.

Read leniently: real AuditEvents miss elements that their standard requires, and an element that is missing is
unknown, not wrong. What FHIR cannot say comes from a mapping file of the importing system.
"""
