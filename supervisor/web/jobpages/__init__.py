"""Pages of single jobs: the end of a log, and dead letters."""
