"""Gate.io: public streams and REST."""
