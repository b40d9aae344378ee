"""Gives a batch's claim back after a failed run, with the reason."""
