"""How good the map is, measured so that anybody can measure it again."""
