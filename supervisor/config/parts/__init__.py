"""Further sections of a job's file, such as ``[table …]``, which belong to its only job."""
