"""Venues that are not there: the real wires of eight markets, driven by a made market."""

from powderkeg.simvenues.server import Simulator, serve

__all__ = ["Simulator", "serve"]
