"""Keeps what others say of the meta log: the witness for another organisation, and how witnesses and time-stamp
authorities are asked and believed.
"""
