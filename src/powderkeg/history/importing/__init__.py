"""Recognising files and writing a source file for them."""
