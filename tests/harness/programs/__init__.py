"""Programs of ours, and those that we are compared with, each run in a directory of its own."""
