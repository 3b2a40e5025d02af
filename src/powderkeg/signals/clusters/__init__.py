"""Signals of one cluster, or of a chain of them."""
