"""Scores of the order-flow reads on labelled synthetic books."""
