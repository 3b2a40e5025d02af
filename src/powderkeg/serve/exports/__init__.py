"""Pictures, tables and levels to take away."""
