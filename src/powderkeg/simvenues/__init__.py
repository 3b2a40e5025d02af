"""Simulated venues: mock exchanges with the real wire formats, driven by a simulated market."""

from powderkeg.simvenues.server import Simulator, serve

__all__ = ["Simulator", "serve"]
