"""Keeps: writes what was said and what was decided into an append-only trail in ClickHouse."""
