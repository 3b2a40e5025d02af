"""``watch``: order flow of a running server in the terminal."""
