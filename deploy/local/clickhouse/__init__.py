"""The local ClickHouse endpoint: ClickHouse's HTTP protocol on 127.0.0.1 in front of the embedded engine.

A stand-in for a server on one machine, for one person and for tests; never the recommendation beyond that.
"""
