"""Frames decoded to events and applied to desks."""
