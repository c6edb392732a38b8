"""A throw-away PostgreSQL for tests, campaigns and benchmarks, and a proxy that hurts connections to one.

    binaries -> cluster (guard keeps it) -> databases (one for each test)        proxy (links), in front of any server

Plain Python: pytest meets it in the conftest.py at the root only.
"""
