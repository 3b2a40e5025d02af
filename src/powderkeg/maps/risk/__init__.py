"""Map and books joined: how far price goes once it touches a level, and what a plan stands in."""
