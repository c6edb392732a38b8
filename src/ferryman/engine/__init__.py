"""Runs jobs: from the store through the channel to the workers, and their outcomes back."""
