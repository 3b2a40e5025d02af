"""One simulated exchange a file."""
