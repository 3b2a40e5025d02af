"""Hourly forecasts against reported liquidations."""
