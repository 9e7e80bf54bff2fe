"""Decides: judges every event against the promises of its controller and against the law."""
