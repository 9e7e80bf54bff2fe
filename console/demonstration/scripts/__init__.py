"""Keeps what happens in the month, as YAML: what was known before, everyday work, and stories with labels."""
