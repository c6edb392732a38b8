"""The dashboard in a real Chromium: `make test-browser`."""
