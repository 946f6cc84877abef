"""Images and what runs from them, without an engine."""
