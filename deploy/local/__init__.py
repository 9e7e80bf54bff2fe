"""The local stack: a broker, a ClickHouse endpoint, the worker and the sink, under one supervisor."""
