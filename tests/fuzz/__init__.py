"""Requests that nobody would write by hand, sent to the API."""
