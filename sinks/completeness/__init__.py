"""Decides, before anything is sealed, whether everything that sources numbered has arrived."""
