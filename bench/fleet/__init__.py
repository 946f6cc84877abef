"""What a fleet of idle jobs costs, and how soon it has rows, next to the original's under supervisord."""
