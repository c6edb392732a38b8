"""Metrics and logs: listeners of domain events; nothing depends on them."""
