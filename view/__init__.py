"""ClickHouse -> people: the HTTP API of one map, one network.

Everything outside comes in as callables: a `query` for reading, a `publish` for actions, a clock. `app.build_app` joins them.
"""
