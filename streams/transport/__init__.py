"""Carries records between Kafka and the code that judges them: fetches in, acknowledged batches out.

Faust hands out one message per record; here it hands out one per slice of a partition's fetch (design D6). It
uses private methods of faust-streaming 0.15.3 and aiokafka 0.14: tests/contract/test_faust_seams.py names
each one.
"""
