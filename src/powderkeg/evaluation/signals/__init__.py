"""Signals judged: scripted markets, placebo walks, and what became of episodes."""
