"""Bitget: public streams and REST."""
