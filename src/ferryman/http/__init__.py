"""The HTTP API: a thin skin over the client."""
