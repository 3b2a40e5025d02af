"""Connections and requests to venues."""
