"""Order flow: what books and prints say beside the map. Numbers, never a direction."""
