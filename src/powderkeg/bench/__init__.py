"""Measurements of the whole program: from a socket to a desk, from a venue to the page."""
