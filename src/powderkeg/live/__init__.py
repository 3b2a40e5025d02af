"""Live collection: sockets, REST, the clock, and the loop that feeds desks. All I/O is here."""
