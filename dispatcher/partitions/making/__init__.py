"""The partitions of a parent, and how a missing one is made: by SQL of the user's, or like its parent."""
