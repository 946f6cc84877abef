"""What a process costs, how long it keeps others waiting, and committed figures to compare with."""
