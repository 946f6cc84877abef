"""What the rounds have shown: tables, goals, the page and its plot."""
