"""Hyperliquid: public streams and REST."""
