"""What a process costs, how long it keeps others waiting, and how far that may be from a committed figure."""
