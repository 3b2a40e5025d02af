"""Overshoot on simulated markets: what followed a touch, against what was expected."""
