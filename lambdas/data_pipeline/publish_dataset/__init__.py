"""Publishes the dataset version that a run made."""
