"""Keeps the predictions that the queue brings: by id, and for analytics."""
