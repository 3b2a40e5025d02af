"""Signals of the whole coin: positioning, levels, prints and data."""
