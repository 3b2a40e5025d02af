"""The price-time grid and what is read off it."""
