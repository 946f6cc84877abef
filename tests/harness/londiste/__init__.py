"""Londiste beside a job of ours: both load the same events, each into a database of its own."""
