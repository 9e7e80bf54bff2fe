"""The contract as an editor sees it.

Made by `python -m inzage.schemas.emitter.declare`; do not edit.
"""
