"""Exposure as pictures: the price-time ring, price levels, clusters, and the five views."""
