"""Pictures of the status page and of `tdsup status`, for people to look at."""
