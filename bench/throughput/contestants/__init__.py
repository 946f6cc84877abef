"""The contestants, and the process that each does its task in."""
