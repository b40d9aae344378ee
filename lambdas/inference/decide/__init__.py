"""Decides what to do about predictions, while the caller waits."""
