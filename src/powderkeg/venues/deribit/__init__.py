"""Deribit: public streams and REST."""
