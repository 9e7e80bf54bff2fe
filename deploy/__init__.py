"""Stands it up: the stack on one machine, and the descriptions of larger ones."""
