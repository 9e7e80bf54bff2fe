"""Loads reference facts from files and lists those that stand: organisations, agreements, instruments, rules, law."""
