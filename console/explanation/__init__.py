"""Explains a verdict to a person: what happened, which promise it breaks, why, and what would have been lawful."""
