"""Scenes: what prints, books and maps of a coin show at a moment."""
