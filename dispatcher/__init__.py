"""What a job does: read batches of events from a PgQ queue and load them into partitioned tables."""
