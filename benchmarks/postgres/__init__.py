"""Ferryman on PostgreSQL, and its peers on the same server with the same work."""
