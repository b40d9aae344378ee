"""Fetches what a source's contract says is to be pulled, and lands what is new."""
