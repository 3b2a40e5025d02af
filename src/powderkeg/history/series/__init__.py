"""Rows of stored series as events."""
