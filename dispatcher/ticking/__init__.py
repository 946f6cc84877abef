"""The job type ``pgq_ticker``: ticks and maintenance of PgQ where nobody else sees to them."""
