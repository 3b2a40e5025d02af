"""Signals: what happens where clusters stand, as episodes with evidence."""
