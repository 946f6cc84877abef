"""How a missing partition is made: by SQL of the user's, or like its parent."""
