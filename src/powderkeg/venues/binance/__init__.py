"""Binance: public streams and REST."""
