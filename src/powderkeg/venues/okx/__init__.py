"""OKX: public streams and REST."""
