"""Weights of position classes, fitted to reported liquidations, with their uncertainty."""
