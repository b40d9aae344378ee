"""Gives past predictions their outcome once it is known."""
