"""Exports: pictures, tables and levels."""
