"""Commands that ask a master, and how its answers are shown."""
