"""The only door to network and time: sockets, requests, a clock, and the loop that feeds desks."""
