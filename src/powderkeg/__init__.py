"""powderkeg: where leveraged positions will be force-closed, how much, and how sure we are."""

__version__ = "0.1.0"
