"""What was traded: prints merged, summed and laid out by price."""
