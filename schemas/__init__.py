"""The contract: what upstream systems say about personal data, in Avro, and the words they say it in.

Nothing in here imports another room of the house.
"""
