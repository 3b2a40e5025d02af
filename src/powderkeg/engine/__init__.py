"""What venues hide: exposure by side, price and distance. Arrays in, arrays out."""
