"""Words for all of it."""
