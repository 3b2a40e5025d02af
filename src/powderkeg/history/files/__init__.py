"""File formats: containers, text tables, JSON, Arrow."""
