"""Judges batches of events: policies as ClickHouse SQL predicates over a view of event, dossier and references."""
