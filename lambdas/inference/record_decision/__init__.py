"""Keeps what a job of the decision workflow decided."""
