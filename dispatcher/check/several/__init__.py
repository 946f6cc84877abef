"""Jobs that load several tables: what is to be checked for each."""
