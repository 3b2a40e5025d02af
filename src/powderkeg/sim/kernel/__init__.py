"""The compiled kernel of the simulated market."""
