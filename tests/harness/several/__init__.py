"""Jobs that load several tables."""
