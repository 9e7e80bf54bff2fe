"""Keeps the demonstration: a made-up month at a health insurer, whose broken promises are known beforehand."""
