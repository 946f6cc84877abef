"""Real servers, and what tests do with them: databases, queues, Prometheus, a browser."""
