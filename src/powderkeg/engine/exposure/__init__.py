"""What is open at which price: the exposure table, its kernels, and margin."""
