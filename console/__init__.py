"""Composes and shows: the command line, reports and the demonstration."""
