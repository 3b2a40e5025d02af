"""Scripted markets: a price path, clusters, books and volume, written in a file."""
