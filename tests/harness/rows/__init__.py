"""Rows on their way: what goes into a queue, the job that loads it, and what must have arrived."""
