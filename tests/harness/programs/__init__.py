"""Our programs and those we are compared with, each running in its own directory."""
