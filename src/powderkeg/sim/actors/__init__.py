"""Book actors: scripted large orders and takers of a simulated market, each with a label."""
