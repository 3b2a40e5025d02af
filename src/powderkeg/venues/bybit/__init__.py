"""Bybit: public streams and REST."""
