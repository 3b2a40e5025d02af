"""Answers: the API, the stream, the page."""
