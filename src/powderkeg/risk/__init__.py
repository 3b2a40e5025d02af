"""Stop, size, costs and liquidation of a position before it is opened, and what is in its way."""
