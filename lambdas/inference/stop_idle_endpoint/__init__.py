"""Stops an endpoint that nobody asks."""
