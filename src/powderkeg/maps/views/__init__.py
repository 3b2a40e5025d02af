"""What may be asked of the maps, and the answers."""
