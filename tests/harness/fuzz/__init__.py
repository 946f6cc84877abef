"""Broken input, made from sound input by chance, and the readers that it is given to."""
